import { expect, type Page } from '@playwright/test'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

/** Holds back what the portal answers from now on, as a slow network would, until it is let go. */
async function slowAnswers(page: Page): Promise<{ hold(): void; letGo(): void }> {
  let held: (() => void)[] | null = null
  await page.routeWebSocket(/\/trpc/, (browser) => {
    const portal = browser.connectToServer()
    portal.onMessage((message) => {
      if (held) held.push(() => browser.send(message))
      else browser.send(message)
    })
  })
  return {
    hold() {
      held = []
    },
    letGo() {
      const waiting = held ?? []
      held = null
      for (const send of waiting) send()
    },
  }
}

const undo = (page: Page) => page.getByRole('button', { name: 'Undo' })

test('what is safe is shown before the portal has answered, on every page of it', async ({ page, home }) => {
  const answers = await slowAnswers(page)
  await page.goto(`/vms/${home.vms['home-assistant']}/settings`)
  await settled(page)
  const protect = page.getByRole('switch', { name: 'Protect from deletion' })
  const atBoot = page.getByRole('switch', { name: 'Start when the box boots' })
  const label = page.getByRole('button', { name: 'Remove label for' })
  await expect(atBoot).toBeChecked()
  answers.hold()
  await protect.click()
  await expect(protect).toBeChecked()
  await label.click()
  await expect(label).toHaveCount(0)
  await page.getByLabel('Add label').fill('shelf=attic')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Remove label shelf' })).toBeVisible()
  // Elsewhere, too: the list has been told nothing yet either.
  await page.getByRole('link', { name: 'Virtual machines' }).first().click()
  await expect(page.getByRole('row').filter({ hasText: 'home-assistant' })).toContainText('attic')
  answers.letGo()
  const row = page.getByRole('row').filter({ hasText: 'home-assistant' })
  await expect(row).not.toContainText('house')
  await expect(row).toContainText('attic')
  // The page has changed meanwhile, the way back has not.
  await undo(page).click()
  await expect(row).toContainText('house')
  await page.reload()
  await expect(row).toContainText('attic')
  await expect(row).toContainText('house')
})

test('a label, a forward and a name are taken back with one click', async ({ page, home }) => {
  await page.goto(`/vms/${home.vms['photo-library']}/settings`)
  await settled(page)
  await page.getByRole('button', { name: 'Remove label backup' }).click()
  await undo(page).click()
  await expect(page.getByRole('button', { name: 'Remove label backup' })).toBeVisible()
  await expect(undo(page)).toHaveCount(0)

  await page.goto(`/vms/${home.vms['photo-library']}/network`)
  await settled(page)
  const forward = page.getByRole('listitem').filter({ hasText: ':8443' })
  await forward.getByRole('button', { name: /^Remove/ }).click()
  await expect(forward).toHaveCount(0)
  await undo(page).click()
  await expect(forward).toBeVisible()

  await page.goto(`/vms/${home.vms['quiet-kettle']}/settings`)
  await settled(page)
  await page.getByRole('textbox', { name: 'Name' }).fill('loud-kettle')
  await page.getByRole('button', { name: 'Rename' }).click()
  await expect(page.getByRole('heading', { name: 'loud-kettle', level: 1 })).toBeVisible()
  await undo(page).click()
  await expect(page.getByRole('heading', { name: 'quiet-kettle', level: 1 })).toBeVisible()
  // The page shows it before the portal has it, which another page tells.
  const other = await page.context().newPage()
  await other.goto(page.url())
  await expect(other.getByRole('heading', { name: 'quiet-kettle', level: 1 })).toBeVisible()
})

test('an SSH key is back with one click; what cannot be put back says why', async ({
  page,
  browser,
  home,
  cookies,
}) => {
  await page.goto('/settings/ssh-keys')
  await settled(page)
  const key = page.getByRole('listitem').filter({ hasText: 'ada@laptop' })
  const line = await readKey(page)
  await key.getByRole('button', { name: /^Delete/ }).click()
  await expect(key).toHaveCount(0)
  await undo(page).click()
  await expect(key).toHaveCount(1)
  await page.reload()
  await expect(key).toHaveCount(1)

  // Meanwhile somebody made it anew, in another window.
  await key.getByRole('button', { name: /^Delete/ }).click()
  await expect(undo(page)).toBeVisible()
  const context = await browser.newContext({ baseURL: home.url })
  await context.addCookies(cookies)
  const other = await context.newPage()
  await other.goto('/settings/ssh-keys')
  await other.getByRole('button', { name: 'Add SSH key' }).first().click()
  await other.getByLabel('Public key').fill(line)
  await other.getByRole('button', { name: 'Save key' }).click()
  await expect(other.getByRole('listitem').filter({ hasText: 'ada@laptop' })).toHaveCount(1)
  await context.close()
  await undo(page).click()
  await expect(page.getByText('That did not work').first()).toBeVisible()
})

/** The public key's own line, as its copy button gives it. */
async function readKey(page: Page): Promise<string> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: /^Copy ada@laptop/ }).click()
  return page.evaluate(() => navigator.clipboard.readText())
}
