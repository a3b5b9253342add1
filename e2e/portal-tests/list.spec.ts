import { gzipSync } from 'node:zlib'
import { expect, type Page } from '@playwright/test'
import { dialogOf } from '../support/dialog.ts'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

const names = (page: Page) => page.getByRole('row').getByRole('link')
/** What the server says, in German: it comes after the page is drawn. */
const isTranslations = (script: Buffer | null) => script?.includes('Wartet auf den Beginn') ?? false
const openList = async (page: Page, view = '') => {
  await page.goto(`/vms${view}`)
  await settled(page)
}

// Two VMs that are off have to fit beside what runs, whatever the tests of other files have made.
test.use({ homeOf: 'the list' })

test('a view is in the address: opened by link, changed by hand, kept over a reload', async ({ page }) => {
  await openList(page, '?label=for%3Dfamily&sort=-size')
  await expect(names(page)).toHaveText(['photo-library', 'paperless', 'mail-archive'])
  await page.getByRole('searchbox', { name: 'Search VMs' }).fill('mail')
  await expect(names(page)).toHaveText(['mail-archive'])
  await expect(page).toHaveURL(/q=mail/)
  await page.reload()
  await expect(names(page)).toHaveText(['mail-archive'])
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await expect(names(page).first()).toHaveText('build-runner')
})

test('columns are remembered on this device', async ({ page }) => {
  await openList(page)
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('menuitemcheckbox', { name: 'Created' }).click()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('columnheader', { name: 'Created' })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('columnheader', { name: 'Created' })).toBeVisible()
})

test('several are stopped with one answer, and each says what became of it', async ({ page, home }) => {
  await home.tell('step 20')
  await openList(page, '?label=for%3Dwork')
  await page.getByRole('checkbox', { name: 'Select all shown' }).check()
  const bar = page.getByRole('group', { name: 'Selected VMs' })
  await expect(bar).toContainText('2 selected')
  await bar.getByRole('button', { name: 'Start', exact: true }).click()
  let dialog = dialogOf(page)
  await dialog.getByRole('button', { name: 'Start 2 VMs' }).click()
  await expect(dialog.getByText('Done')).toHaveCount(2)
  await dialog.getByRole('button', { name: 'Close' }).last().click()

  // One that is off already is left out, and said to be before anything is done.
  await openList(page, '?q=r')
  for (const name of ['build-runner', 'kernel-lab', 'mail-archive'])
    if (await page.getByRole('checkbox', { name: `Select ${name}` }).count())
      await page.getByRole('checkbox', { name: `Select ${name}` }).check()
  await bar.getByRole('button', { name: 'Shut down' }).click()
  dialog = dialogOf(page)
  await expect(dialog.getByText('Left out')).toHaveCount(1)
  await dialog.getByRole('button', { name: /^Shut down \d VMs?$/ }).click()
  await expect(dialog.getByText('Done')).not.toHaveCount(0)
  await expect(dialog.getByText('Refused')).toHaveCount(0)
})

test('with the host away the list shows what was last known, and since when', async ({ page, home }) => {
  await openList(page)
  await home.tell('away')
  await expect(page.getByText(/hearth-box|fakebox|is away, last seen/).first()).toBeVisible()
  await expect(page.getByRole('row').filter({ hasText: 'paperless' })).toContainText('when last seen')
  await home.tell('back')
  await expect(page.getByRole('row').filter({ hasText: 'paperless' })).toContainText('Running')
})

test('keys lead through the portal without a mouse', async ({ page }) => {
  await openList(page)
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(dialogOf(page)).toHaveCount(0)
  await page.keyboard.press('g')
  await page.keyboard.press('a')
  await expect(page).toHaveURL(/\/activity$/)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('photo con')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/vms\/\d+\/console$/)
})

test('the palette has every page and what can be done from it, and asks before what cannot be taken back', async ({
  page,
  home,
}) => {
  await openList(page)
  const choose = async (words: string) => {
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill(words)
    await expect(page.getByRole('option').first()).toBeVisible()
    await page.keyboard.press('Enter')
  }
  await choose('delete mail')
  const dialog = dialogOf(page)
  await expect(dialog).toContainText('mail-archive')
  await expect(dialog.getByRole('button', { name: 'Delete VM' })).toHaveAttribute('aria-disabled', 'true')
  await page.keyboard.press('Escape')
  await expect(dialogOf(page)).toHaveCount(0)
  await choose('snapshots: photo')
  await expect(page).toHaveURL(`/vms/${home.vms['photo-library']}/snapshots`)
  for (const [words, title] of [
    ['from an address', 'image'],
    ['new project', 'project'],
    ['invite somebody', 'Invite'],
    ['new disk', 'disk'],
    ['add ssh', 'SSH key'],
    ['create token', 'token'],
  ] as const) {
    await choose(words)
    await expect(dialogOf(page).getByRole('heading')).toContainText(title, { ignoreCase: true })
    await page.keyboard.press('Escape')
    await expect(dialogOf(page)).toHaveCount(0)
    await expect(page).not.toHaveURL(/add=/)
  }
})

test('the list is there with less than 200 kB of script in either language, over the wire and by gzip', async ({
  browser,
  home,
  cookies,
}) => {
  for (const locale of ['en-GB', 'de-DE']) {
    const context = await browser.newContext({ baseURL: home.url, locale })
    await context.addCookies(cookies)
    const page = await context.newPage()
    const sent: Promise<number>[] = []
    const gzipped: Promise<number>[] = []
    page.on('requestfinished', (request) => {
      if (request.resourceType() !== 'script') return
      sent.push(request.sizes().then(({ responseBodySize }) => responseBodySize))
      gzipped.push(
        request
          .response()
          .then((response) => response!.body())
          .then((body) => (isTranslations(body) ? 0 : gzipSync(body).length)),
      )
    })
    await openList(page)
    await expect(names(page).first()).toBeVisible()
    // All of what the page itself asks for, also what it leaves for later, such as the pages one may go to next.
    await page.waitForLoadState('networkidle')
    const sum = async (sizes: Promise<number>[]) =>
      (await Promise.all(sizes)).reduce((all, one) => all + one, 0)
    expect(sent.length).toBeGreaterThan(3)
    expect(await sum(sent), locale).toBeLessThan(200_000)
    expect(await sum(gzipped), `${locale} by gzip`).toBeLessThan(200_000)
    await context.close()
  }
})

test('in German the page works before the translations of the server’s sentences are there', async ({
  browser,
  home,
  cookies,
}) => {
  const context = await browser.newContext({ baseURL: home.url, locale: 'de-DE' })
  await context.addCookies(cookies)
  const page = await context.newPage()
  const translations = page.waitForResponse(
    async (response) =>
      response.request().resourceType() === 'script' &&
      isTranslations(await response.body().catch(() => null)),
  )
  await openList(page)
  const url = (await translations).url()
  const there = Promise.withResolvers<void>()
  await page.route(url, async (route) => {
    await there.promise
    await route.continue()
  })
  await page.reload({ waitUntil: 'commit' })
  // The palette opens, so scripts run; what the portal said waits.
  await expect(async () => {
    await page.keyboard.press('Control+k')
    await expect(page.getByRole('combobox')).toBeVisible({ timeout: 2000 })
  }).toPass()
  await page.keyboard.press('Escape')
  await expect(names(page)).toHaveCount(0)
  there.resolve()
  await expect(names(page).first()).toBeVisible()
  await context.close()
})
