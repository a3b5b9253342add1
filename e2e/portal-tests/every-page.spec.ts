import { expect } from '@playwright/test'
import { expectAccessible } from '../support/accessible.ts'
import { everyDialog } from '../support/every-dialog.ts'
import { everyPage, settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

test.use({ contextOptions: { reducedMotion: 'reduce' }, colorScheme: 'light' })

for (const each of everyPage) {
  test(`${each.name}: accessible in both themes, and as wide as a phone`, async ({ page, home, context }) => {
    if (each.signedOut) await context.clearCookies()
    await page.goto(each.path(home))
    await settled(page)
    await each.prepare?.(page)
    await expectAccessible(page)
  })
}

for (const each of everyDialog) {
  test.describe(`as ${each.who ?? 'ada'}`, () => {
    test.use({ who: each.who ?? 'ada' })
    test(`${each.name}: accessible in both themes, and as wide as a phone`, async ({ page, home }) => {
      await page.goto(each.path(home))
      await settled(page)
      await each.prepare?.(page)
      await expectAccessible(page)
    })
  })
}

test.describe('in German', () => {
  test.use({ locale: 'de-DE' })
  test('every page is German from the first byte on', async ({ page, home, context, cookies }) => {
    const complaints: string[] = []
    // What the server rendered in another language than the browser's would be a hydration error.
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`))
    for (const each of everyPage) {
      if (each.signedOut) await context.clearCookies()
      else await context.addCookies(cookies)
      const answer = await page.goto(each.path(home))
      expect(await answer?.text(), each.name).toContain('<html lang="de"')
      await settled(page)
    }
    expect(complaints).toEqual([])
  })
})
