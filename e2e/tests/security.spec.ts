import { expect, type Page, test } from '@playwright/test'
import { SignInPage } from '../pages/sign-in-page.ts'
import { administrator } from '../support/administrator.ts'
import { administratorPage } from '../support/home.ts'
import { totp } from '../support/totp.ts'

/** Passkeys and codes of the administrator, in a real browser. The tests build on one another. */
test.describe.configure({ mode: 'serial' })

// A passkey belongs to a name, and an address is none.
test.use({ baseURL: (process.env.HEARTH_URL ?? 'http://127.0.0.1:8080').replace('127.0.0.1', 'localhost') })

let page: Page
let secret: string
let recovery: string
test.beforeAll(async ({ browser }) => {
  page = await administratorPage(browser)
})
test.afterAll(() => page.context().close())

const home = () => page.getByRole('heading', { name: administrator.homeName, level: 1 })

async function picture(name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({
      path: `${test.info().project.outputDir}/screens/${name}-${colorScheme}.png`,
      fullPage: true,
    })
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

test('a passkey is added, signs in without a word typed, and is removed', async () => {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await page.goto('/settings/security')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await expect(page.getByRole('listitem').filter({ hasText: 'Passkey on' })).toBeVisible()
  await picture('security')
  const signIn = new SignInPage(page)
  await signIn.signOut()
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await expect(home()).toBeVisible()
  await page.goto('/settings/security')
  await page.getByRole('button', { name: /^Remove Passkey on/ }).click()
  await page
    .getByRole('dialog', { name: /^Remove Passkey/ })
    .getByRole('button', { name: 'Remove' })
    .click()
  await expect(page.getByRole('listitem').filter({ hasText: 'Passkey on' })).toHaveCount(0)
})

test('codes from an app are turned on, asked for, and a wrong one is refused beside the field', async () => {
  await page.goto('/settings/security')
  await page.getByRole('button', { name: 'Turn on' }).click()
  const first = page.getByRole('dialog', { name: 'Turn on codes' })
  await first.getByLabel('Password', { exact: true }).fill('not the password')
  await first.getByRole('button', { name: 'Next' }).click()
  await expect(first.getByRole('alert')).toHaveText('That is not your password.')
  await first.getByLabel('Password', { exact: true }).fill(administrator.password)
  await first.getByRole('button', { name: 'Next' }).click()
  const second = page.getByRole('dialog', { name: 'Set up the app' })
  secret = (await second.getByText(/^[A-Z2-7]{32,}=*$/).textContent())!.trim()
  recovery = (await second
    .getByRole('list', { name: 'recovery codes' })
    .getByRole('listitem')
    .first()
    .textContent())!
  await picture('security-codes')
  await second.getByLabel('Code the app shows now').fill(totp(secret))
  await second.getByRole('button', { name: 'Turn on' }).click()
  await expect(page.getByText('On', { exact: true })).toBeVisible()

  const signIn = new SignInPage(page)
  await signIn.signOut()
  await signIn.signIn(administrator.email, administrator.password)
  await page.getByLabel('Code', { exact: true }).fill('000000')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByText('That code does not fit.')).toBeVisible()
  await picture('sign-in-code')
  await page.getByLabel('Code', { exact: true }).fill(totp(secret))
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(home()).toBeVisible()
})

test('a recovery code opens when the phone is gone; then codes are turned off', async () => {
  const signIn = new SignInPage(page)
  await signIn.signOut()
  await signIn.signIn(administrator.email, administrator.password)
  await page.getByRole('button', { name: 'Use a recovery code' }).click()
  await page.getByLabel('Recovery code').fill(recovery)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(home()).toBeVisible()
  await page.goto('/settings/security')
  await page.getByRole('button', { name: 'Turn off' }).click()
  const dialog = page.getByRole('dialog', { name: 'Turn off codes?' })
  await dialog.getByLabel('Password', { exact: true }).fill(administrator.password)
  await dialog.getByRole('button', { name: 'Turn off' }).click()
  await expect(page.getByRole('button', { name: 'Turn on' })).toBeVisible()
})
