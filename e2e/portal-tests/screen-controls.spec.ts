/** What a screen's console page offers beside the picture: its controls on a desk, and fingers on a phone. */
import { type Browser, type BrowserContextOptions, devices, expect, type Page, test } from '@playwright/test'
import { ConsolePage } from '../pages/console-page.ts'
import { ScreenPage } from '../pages/screen-page.ts'
import { SignInPage } from '../pages/sign-in-page.ts'
import { type PaintedPortal, startPaintedPortal } from '../support/painted-process.ts'

let portal: PaintedPortal

test.beforeAll(async () => {
  portal = await startPaintedPortal()
})
test.afterAll(() => portal.stop())

/** Of the test that runs: whoever still watches after it would hold keyboard and pointer. */
const pages: Page[] = []
test.afterEach(async () => {
  await portal.tell('accept')
  for (const page of pages.splice(0)) await page.context().close()
})

async function open(browser: Browser, options: BrowserContextOptions = {}): Promise<ScreenPage> {
  const page = await (await browser.newContext({ baseURL: portal.url, ...options })).newPage()
  pages.push(page)
  // What the page asks of a browser that can keep the system's keys for it.
  await page.addInitScript(() => {
    const { keyboard } = navigator as unknown as { keyboard?: { lock(): Promise<void>; unlock(): void } }
    if (!keyboard) return
    const state = window as unknown as { keysLocked?: boolean }
    const lock = keyboard.lock.bind(keyboard)
    keyboard.lock = async () => {
      await lock()
      state.keysLocked = true
    }
    const unlock = keyboard.unlock.bind(keyboard)
    keyboard.unlock = () => {
      unlock()
      state.keysLocked = false
    }
  })
  const entry = new SignInPage(page)
  await entry.open()
  await entry.signIn('ada@example.org', portal.password)
  await page.waitForURL((url) => url.pathname !== '/sign-in')
  await page.goto(`/vms/${portal.vmId}/console`)
  const screen = new ScreenPage(page, 'studio')
  await screen.expectState('Connected')
  await portal.tell('state')
  return screen
}

async function choose(screen: ScreenPage, menu: string, item: RegExp): Promise<void> {
  await screen.button(menu)
  await screen.page.getByRole('menuitem', { name: item }).click()
}

const box = async (screen: ScreenPage) => (await screen.canvas.boundingBox())!

test('the picture follows the window, is scaled to it, or stays pixel for pixel', async ({ browser }) => {
  const screen = await open(browser)
  await expect.poll(async () => (await screen.size()).width).toBeLessThan(1280)
  const before = await screen.size()

  await choose(screen, 'Size of the picture', /^Actual size/)
  await screen.page.setViewportSize({ width: 900, height: 640 })
  await expect.poll(async () => (await box(screen)).width).toBe(before.width)
  expect(await screen.size()).toEqual(before)

  await choose(screen, 'Size of the picture', /^Scale to the window/)
  await expect.poll(async () => (await box(screen)).width).toBeLessThan(before.width - 100)
  expect(await screen.size()).toEqual(before)
  // A click is where the pointer is, also in a smaller picture.
  const { width, height } = await box(screen)
  await screen.canvas.click({ position: { x: width / 2, y: height / 2 } })
  const [, x, y] = /@(\d+),(\d+):1/.exec(await portal.heard(/@\d+,\d+:1/))!
  for (const place of [x, y]) expect(Math.abs(Number(place) - 16384)).toBeLessThan(60)

  await choose(screen, 'Size of the picture', /^Fit the VM to the window/)
  await expect.poll(async () => (await screen.size()).width).toBeLessThan(before.width)

  // A guest that answers late, with what it was asked for before, is asked once more.
  await portal.tell('deaf')
  const room = async () => (await screen.region.getByRole('application').boundingBox())!
  const narrow = (await room()).width
  await screen.page.setViewportSize({ width: 940, height: 640 })
  await expect.poll(async () => (await room()).width).toBeGreaterThan(narrow)
  const asked = await room()
  await screen.page.setViewportSize({ width: 980, height: 640 })
  await expect.poll(async () => (await room()).width).toBeGreaterThan(asked.width)
  await portal.tell(`size ${Math.floor(asked.width)} ${Math.floor(asked.height)}`)
  const wanted = Math.floor((await room()).width)
  await expect.poll(async () => (await portal.tell('state')).size?.width).toBe(wanted)
})

test('full screen: the bar hides and comes back at the upper edge, and the browser’s keys are the VM’s', async ({
  browser,
}) => {
  const screen = await open(browser)
  const { page } = screen
  await screen.button('Full screen')
  await expect.poll(() => page.evaluate(() => document.fullscreenElement !== null)).toBe(true)
  await page.mouse.move(500, 400)
  await expect(screen.controls).not.toBeInViewport()
  // The whole window is the VM's.
  await expect
    .poll(async () => {
      const { width, height } = await screen.size()
      const window = await page.evaluate(() => [innerWidth, innerHeight])
      return [width, height].join() === window.join()
    })
    .toBe(true)
  await page.mouse.move(500, 2)
  await expect(screen.controls).toBeInViewport()
  await page.mouse.move(500, 400)
  await expect(screen.controls).not.toBeInViewport()

  const locks = await page.evaluate(() => 'keyboard' in navigator && 'lock' in (navigator.keyboard as object))
  if (locks) {
    await expect.poll(() => page.evaluate(() => (window as { keysLocked?: boolean }).keysLocked)).toBe(true)
  }
  await screen.canvas.click({ position: { x: 300, y: 300 } })
  await page.keyboard.press('Alt+Tab')
  await portal.heard(/\+38 .*\+f -f .*-38/)

  await page.mouse.move(500, 2)
  await screen.button('Leave full screen')
  await expect.poll(() => page.evaluate(() => document.fullscreenElement)).toBeNull()
  if (locks) {
    await expect.poll(() => page.evaluate(() => (window as { keysLocked?: boolean }).keysLocked)).toBe(false)
  }
  await expect(screen.controls).toBeInViewport()
})

test('modifiers that stay down, keys that a browser keeps, and only watching', async ({ browser }) => {
  const screen = await open(browser)
  const { page } = screen
  await screen.button('Send keys')
  await page.getByRole('button', { name: 'Hold Ctrl' }).click()
  await expect(page.getByRole('button', { name: 'Hold Ctrl' })).toHaveAttribute('aria-pressed', 'true')
  await page.keyboard.press('Escape')
  await screen.canvas.click()
  await page.keyboard.press('KeyC')
  expect(await portal.heard(/\+2e -2e/)).not.toMatch(/-1d/)
  await screen.button('Send keys')
  await page.getByRole('button', { name: 'Hold Ctrl' }).click()
  await portal.heard(/-1d/)
  await page.getByRole('button', { name: 'Ctrl+Alt+F2' }).click()
  await portal.heard(/\+1d \+38 \+3c -3c -38 -1d/)
  await page.keyboard.press('Escape')
  for (const [name, pressed] of [
    [/^Alt Tab$/, /\+38 \+f -f -38/],
    [/^Super$/, /\+db -db/],
  ] as const) {
    await choose(screen, 'Send keys', name)
    await portal.heard(pressed)
  }

  // What is held when a viewer goes is let go.
  await screen.button('Send keys')
  await page.getByRole('button', { name: 'Hold Shift' }).click()
  await portal.heard(/\+2a/)
  await page.keyboard.press('Escape')

  await choose(screen, 'More', /^Only watch/)
  await expect(screen.region.getByText('You only watch.')).toBeVisible()
  await portal.heard(/-2a/)
  // It is the page's own choice, whatever becomes of the connection: neither the notice nor the picture below it jumps.
  const notice = await screen.region.getByText('You only watch.').elementHandle()
  await portal.tell('refuse 4408')
  await screen.expectState('Reconnecting')
  await portal.tell('accept')
  await screen.expectState('Connected')
  expect(await notice!.evaluate((element) => element.isConnected)).toBe(true)
  // A key on the bar is none of the page's either: `c` would create a VM.
  await screen.controls.getByRole('button', { name: 'More', exact: true }).focus()
  await page.keyboard.press('KeyC')
  await screen.canvas.click()
  await page.keyboard.press('KeyC')
  await screen.region.getByRole('button', { name: 'Use keyboard and pointer' }).click()
  await expect(screen.region.getByText('You only watch.')).toBeHidden()
  await page.keyboard.press('KeyV')
  expect(await portal.heard(/\+2f -2f/)).not.toMatch(/2e|@/)
})

test('latency and frame rate, a window of its own, and what it waits for when it is cut off', async ({
  browser,
}) => {
  const screen = await open(browser)
  const { page } = screen
  await choose(screen, 'More', /^Show latency and frame rate/)
  const figures = screen.controls.getByText(/ms · \d+ fps · .*\/s/)
  await expect(figures).toBeVisible()
  // Frames are counted as they come.
  let colour = 0
  await expect
    .poll(async () => {
      colour += 0x101
      await portal.tell(`rect 10 10 40 40 ${colour}`)
      return Number(/(\d+) fps/.exec((await figures.textContent()) ?? '')?.[1])
    })
    .toBeGreaterThan(0)
  await expect.poll(() => figures.textContent()).toMatch(/^\d+ ms/)

  for (const [code, said] of [
    [4503, 'The host is away.'],
    [4408, 'The connection was interrupted.'],
  ] as const) {
    await portal.tell(`refuse ${code}`)
    await screen.expectState('Reconnecting')
    await expect(screen.region.getByText(said)).toBeVisible()
    // What was on the screen stays readable meanwhile.
    await expect(screen.region.locator('canvas').first()).toBeVisible()
    await portal.tell('accept')
    await screen.expectState('Connected')
  }

  const popup = page.waitForEvent('popup')
  await screen.controls.getByRole('link', { name: 'Open in own window' }).click()
  const own = new ScreenPage(await popup, 'studio')
  await own.expectState('Connected')
  await expect(own.controls.getByText('studio', { exact: true })).toBeVisible()
  const region = (await own.region.boundingBox())!
  expect([region.width, region.height]).toEqual(Object.values(own.page.viewportSize()!))
})

test('a text that is being typed is stopped by closing its dialog', async ({ browser }) => {
  const screen = await open(browser)
  const { page } = screen
  await screen.button('Type text')
  // Some fifteen seconds of it.
  await page.getByLabel('Text to type').fill('a'.repeat(4000))
  await page.getByRole('button', { name: 'Type', exact: true }).click()
  await portal.heard(/\+1e -1e/)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(screen.canvas).toBeFocused()
  await page.keyboard.press('KeyB')
  await portal.heard(/\+30 -30/)
  await page.keyboard.press('KeyN')
  expect(await portal.heard(/\+31 -31/)).not.toContain('+1e')
})

test('a serial console whose guest has printed nothing says so until the first byte', async ({ browser }) => {
  const screen = await open(browser)
  const { page } = screen
  const serial = new ConsolePage(page, 'studio')
  const hint = page.getByText(/^Nothing printed yet/)
  const show = (view: 'Screen' | 'Serial') => page.getByRole('radio', { name: view }).click()
  await show('Serial')
  await serial.expectState('Connected', 15_000)
  await serial.expectText('studio login:', 15_000)
  await expect(hint).toBeHidden()

  await portal.tell('silent')
  await show('Screen')
  await show('Serial')
  await serial.expectState('Connected', 15_000)
  await expect(hint).toBeVisible()
  // It takes no click from the terminal.
  await page.getByRole('region', { name: 'Serial console of studio' }).locator('.xterm-screen').click()
  await portal.tell('print studio login: ')
  await expect(hint).toBeHidden()
  await serial.expectText('studio login:', 15_000)
})

test('on a phone: a tap clicks, a long press is the other button, two fingers scroll, its keyboard types', async ({
  browser,
}) => {
  const { defaultBrowserType: _, ...phone } = devices['Pixel 7']!
  const screen = await open(browser, phone)
  const { page } = screen
  // The VM keeps its size there, however small the picture is.
  const size = await screen.size()
  expect((await box(screen)).width).toBeLessThan(size.width / 2)
  const { x, y, width, height } = await box(screen)
  const [left, top] = [x + width / 4, y + height / 2]

  await page.touchscreen.tap(left, top)
  const tapped = /@(\d+),(\d+):1/.exec(await portal.heard(/@\d+,\d+:1 .*@\d+,\d+:0/))!
  expect(Math.abs(Number(tapped[1]) - 8192)).toBeLessThan(200)
  expect(Math.abs(Number(tapped[2]) - 16384)).toBeLessThan(200)

  const fingers = await page.context().newCDPSession(page)
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: [number, number][]) =>
    fingers.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })),
    })
  await touch('touchStart', [left, top])
  await portal.heard(/@\d+,\d+:4/)
  await touch('touchEnd')
  await portal.heard(/@\d+,\d+:0/)

  await touch('touchStart', [left, top], [left + 40, top])
  for (let moved = 10; moved <= 160; moved += 10) {
    await touch('touchMove', [left, top - moved], [left + 40, top - moved])
  }
  await touch('touchEnd')
  await portal.heard(/wheel -1/)

  await screen.button('Screen keyboard')
  await expect(page.getByLabel('Screen keyboard', { exact: true }).last()).toBeFocused()
  await page.keyboard.insertText('ä')
  await portal.heard(/\+syme4 -syme4/)
  const keys = screen.region.getByRole('group', { name: 'Keys' })
  await keys.getByRole('button', { name: 'Ctrl' }).tap()
  await page.keyboard.insertText('c')
  await portal.heard(/\+1d \+sym63 -sym63 -1d/)
  await keys.getByRole('button', { name: 'Escape' }).tap()
  await portal.heard(/\+1 -1/)
  // Nothing sticks out of a narrow window.
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
})
