/** A VM's screen on its console page: real pixels of a real RFB server in a real browser, painted by the test. */
import { type Browser, expect, type Page, test } from '@playwright/test'
import { ScreenPage } from '../pages/screen-page.ts'
import { SignInPage } from '../pages/sign-in-page.ts'
import { type PaintedPortal, startPaintedPortal } from '../support/painted-process.ts'

let portal: PaintedPortal

test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  portal = await startPaintedPortal()
})
test.afterAll(() => portal.stop())

async function open(browser: Browser, email: string): Promise<ScreenPage> {
  const page = await (await browser.newContext({ baseURL: portal.url })).newPage()
  await signIn(page, email)
  await page.goto(`/vms/${portal.vmId}/console`)
  const screen = new ScreenPage(page, 'studio')
  await screen.expectState('Connected')
  return screen
}

async function signIn(page: Page, email: string): Promise<void> {
  const entry = new SignInPage(page)
  await entry.open()
  await entry.signIn(email, portal.password)
  await page.waitForURL((url) => url.pathname !== '/sign-in')
}

test('the picture, its changes, keys, pointer and size', async ({ browser }) => {
  const screen = await open(browser, 'ada@example.org')
  // The VM took the window's size.
  await screen.expectFilled()
  const { size } = await portal.tell('rect 40 50 30 20 65280')
  expect(await screen.size()).toMatchObject({ width: size.width, height: size.height })
  await expect.poll(() => screen.pixel(41, 51)).toBe('#00ff00')
  expect(await screen.pixel(39, 51)).not.toBe('#00ff00')

  await screen.canvas.click({ position: { x: 200, y: 100 } })
  // Keys by their place: what they mean is the VM's own layout's business.
  await screen.page.keyboard.press('KeyY')
  expect(await portal.heard(/-15/)).toMatch(/@\d+,\d+:1 .*@\d+,\d+:0 .*\+15 -15/)

  await screen.button('Send keys')
  await screen.page.getByRole('menuitem', { name: 'Ctrl Alt Del' }).click()
  await portal.heard(/\+1d \+38 \+d3 -d3 -38 -1d/)

  await screen.button('Type text')
  await screen.page.getByLabel('Text to type').fill('z@')
  await screen.page.getByRole('button', { name: 'Type', exact: true }).click()
  // On a German keyboard: z where y is elsewhere, and @ with AltGr.
  await portal.heard(/\+15 -15 \+b8 \+10 -10 -b8/)
  // Whoever had a text typed goes on typing.
  await expect(screen.canvas).toBeFocused()

  // The clipboard, by hand and then shared, both ways.
  await screen.button('Clipboard')
  await screen.page.getByLabel('Text in the VM’s clipboard').fill('by hand: grüße')
  await screen.page.getByRole('button', { name: 'Send to the VM' }).click()
  await portal.heard(/copied:by hand: grüße/)
  await screen.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await screen.page.evaluate(() => navigator.clipboard.writeText('copied elsewhere'))
  await screen.button('Clipboard')
  await screen.page.getByRole('switch', { name: 'Share the clipboard' }).click()
  await screen.page.keyboard.press('Escape')
  await screen.canvas.click({ position: { x: 20, y: 20 } })
  await portal.heard(/copied:copied elsewhere/)
  await portal.tell('copy 日本 from the VM')
  await expect.poll(() => screen.page.evaluate(() => navigator.clipboard.readText())).toBe('日本 from the VM')

  await screen.page.setViewportSize({ width: 1100, height: 700 })
  await expect.poll(async () => (await screen.size()).width).toBeLessThan(size.width)

  const download = screen.page.waitForEvent('download')
  await screen.button('Download a screenshot')
  expect((await download).suggestedFilename()).toMatch(/^studio-.*\.png$/)
  await screen.page.context().close()
})

test('two people: one types, the other takes over, a broken connection comes back, a VM is started in place', async ({
  browser,
}) => {
  const ada = await open(browser, 'ada@example.org')
  await expect(ada.canvas).toBeVisible()
  const ben = await open(browser, 'ben@example.org')
  await expect(ben.region.getByText('Ada has keyboard and pointer.')).toBeVisible()
  await portal.tell('state')
  await ben.canvas.click()
  await ben.page.keyboard.press('KeyB')
  await ada.canvas.click()
  await ada.page.keyboard.press('KeyA')
  expect(await portal.heard(/-1e/)).not.toMatch(/30/)

  await ben.region.getByRole('button', { name: 'Take over' }).click()
  await expect(ada.region.getByText('Ben has keyboard and pointer.')).toBeVisible()
  await ben.canvas.click()
  await ben.page.keyboard.press('KeyB')
  await portal.heard(/\+30 -30/)
  await ben.button('2 people watch')
  await expect(ben.page.getByText('Ben (you)')).toBeVisible()
  await ben.page.keyboard.press('Escape')

  await portal.tell('break')
  await ada.expectState('Connected')
  await ben.expectState('Connected')
  // Painted until it is seen: a page that comes back asks for its size again, and the picture is made anew for that.
  await expect
    .poll(async () => {
      await portal.tell('rect 60 60 10 10 255')
      return ada.pixel(61, 61)
    })
    .toBe('#0000ff')

  await portal.tell('off')
  await expect(ada.region.getByText('studio is off')).toBeVisible()
  await expect(ada.region.getByRole('button', { name: 'Start VM' })).toBeVisible()
  await portal.tell('on')
  await ada.expectState('Connected')

  await ada.page.goto('/vms')
  await expect(ada.page.getByRole('img', { name: 'What studio shows now' }).first()).toBeVisible()
  await ada.page.context().close()
  await ben.page.context().close()
})

test('an administrator records a screen, whoever uses it is told, and the recording plays on the page', async ({
  browser,
}) => {
  const ada = await open(browser, 'ada@example.org')
  const ben = await open(browser, 'ben@example.org')
  const notice = 'Recorded by an administrator'
  await ada.button('More')
  await ada.page.getByRole('menuitem', { name: 'Record this console' }).click()
  await expect(ada.region.getByText(notice)).toBeVisible()
  await expect(ben.region.getByText(notice)).toBeVisible()
  await ben.button('More')
  await expect(ben.page.getByRole('menuitem', { name: /^Only watch/ })).toBeVisible()
  await expect(ben.page.getByRole('menuitem', { name: 'Record this console' })).toHaveCount(0)
  await ben.page.keyboard.press('Escape')
  // Painted until it is seen, then the recorder has been sent it, too.
  await expect
    .poll(async () => {
      await portal.tell('rect 10 10 40 40 16711680')
      return ada.pixel(20, 20)
    })
    .toBe('#ff0000')
  const list = ada.page.getByRole('list', { name: 'Recordings' })
  await ada.button('More')
  await ada.page.getByRole('menuitem', { name: 'Stop recording' }).click()
  await expect(ben.region.getByText(notice)).toHaveCount(0)
  await ada.button('More')
  await ada.page.getByRole('menuitem', { name: 'Recordings' }).click()
  await expect(list.getByText(/studio/)).toBeVisible()

  await list.getByRole('link', { name: /^Play the recording of studio/ }).click()
  const player = ada.page.getByRole('region', { name: 'Player' })
  const pixel = () =>
    player
      .locator('canvas')
      .evaluate((canvas: HTMLCanvasElement) =>
        canvas.getContext('2d')!.getImageData(20, 20, 1, 1).data.join(),
      )
  // It plays by itself, to its end; and is there again from any place.
  await expect.poll(pixel).toBe('255,0,0,255')
  await player.getByRole('radio', { name: '16×' }).click()
  await player.getByRole('button', { name: 'From the beginning' }).click()
  await expect(player.locator('canvas')).toHaveCount(1)
  await player.getByRole('button', { name: 'Play' }).click()
  await expect.poll(pixel).toBe('255,0,0,255')
  const download = ada.page.waitForEvent('download')
  await ada.page.getByRole('link', { name: 'Download' }).click()
  expect((await download).suggestedFilename()).toMatch(/^studio-.*\.fbs$/)

  await ben.page.goto('/recordings')
  await expect(ben.page.getByRole('list', { name: 'Recordings' })).toHaveCount(0)
  const refused = await ben.page.request.get(ada.page.url().replace('/recordings/', '/console/recordings/'))
  expect(refused.status()).toBe(403)
  await ada.page.context().close()
  await ben.page.context().close()
})

test('a small picture in the list stays while its host is too busy for another', async ({ browser }) => {
  const page = await (await browser.newContext({ baseURL: portal.url })).newPage()
  let status = 200
  await page.route('**/screen.jpg?*', (route) =>
    route.fulfill({
      status,
      contentType: 'image/svg+xml',
      body: '<svg xmlns="http://www.w3.org/2000/svg"/>',
    }),
  )
  await signIn(page, 'ada@example.org')
  await page.goto('/vms')
  const picture = page.getByAltText('What studio shows now').filter({ visible: true })
  await expect(picture).toBeVisible()
  status = 503
  // At the second one the page has made of the first what it makes of it.
  for (let i = 0; i < 2; i++) await page.waitForResponse((response) => response.status() === 503)
  await expect(picture).toHaveCount(1)
  status = 404
  await expect(picture).toHaveCount(0)
  await page.context().close()
})
