import { type Browser, expect, type Locator, type Page, test } from '@playwright/test'
import { ConsolePage } from '../pages/console-page.ts'
import { DesktopGuest } from '../pages/desktop-guest.ts'
import { ScreenPage } from '../pages/screen-page.ts'
import { VmCreatePage } from '../pages/vm-create-page.ts'
import { VmPage } from '../pages/vm-page.ts'
import { administratorPage } from '../support/home.ts'

/**
 * A graphical guest on the real stack: Debian with Xorg, openbox, panel, terminal and file manager, seen and used through
 * its screen alone. What it was typed it tells on its serial console. The tests build on one another.
 */
test.describe.configure({ mode: 'serial' })

const MINUTE = 60_000
/** An empty terminal's colour. */
const TERMINAL = '#140f0c'
const guest = { user: 'ada', password: 'teapot-on-the-stove' }

let page: Page
let screen: ScreenPage
let desktop: DesktopGuest
/** Its serial console, in a page of its own. */
let serial: ConsolePage
let consoleUrl: string

test.beforeAll(async ({ browser }) => {
  page = await administratorPage(browser)
})
test.afterAll(() => page.context().close())

async function picture(name: string, of: Page = page): Promise<void> {
  await of.screenshot({ path: `${test.info().project.outputDir}/screens/desktop-${name}.png` })
}

async function openScreen(of: Page): Promise<ScreenPage> {
  await of.goto(consoleUrl)
  const opened = new ScreenPage(of, 'studio')
  await opened.expectState('Connected', 5 * MINUTE)
  return opened
}

test('it is created from the catalogue with a German keyboard, and its screen reaches the desktop', async () => {
  const create = new VmCreatePage(page)
  await create.open()
  await expect(create.image('Debian 12 Desktop')).toBeEnabled()
  await create.fill({ image: 'Debian 12 Desktop', name: 'studio', size: 'Small', ...guest })
  await create.unfold('Keyboard')
  await page.getByLabel('Keyboard', { exact: true }).selectOption('German')
  await picture('create')
  await create.submit('studio', 2 * MINUTE)
  const vm = new VmPage(page)
  await vm.expectState('Running', 10 * MINUTE)
  await vm.openTab('Console')
  await page.waitForURL(/\/console$/)
  consoleUrl = page.url()
  screen = await openScreen(page)
  desktop = new DesktopGuest(screen)
  await picture('start')
  await desktop.expectBareDesktop(20 * MINUTE)
  await picture('reached')
})

test('a click opens a terminal', async () => {
  await desktop.launch('terminal')
  const { width, height } = await screen.size()
  await expect.poll(() => screen.pixel(width >> 1, height >> 1)).toBe(TERMINAL)
  await desktop.expectPrompts(1)
  await picture('terminal')
})

test('what is typed is what the guest reads, with a German keyboard and with a French one', async () => {
  const other = await page.context().newPage()
  await other.goto(`${consoleUrl}#serial`)
  serial = new ConsolePage(other, 'studio')
  await serial.expectState('Connected', MINUTE)
  await signInToGuest()

  const { width, height } = await screen.size()
  await desktop.click(width >> 1, height >> 1)
  await typeInto('german', 'German')
  await desktop.press('KeyY', 'KeyZ', 'Minus', 'Semicolon', 'Quote', 'BracketLeft', 'Shift+BracketLeft')
  await desktop.press('Shift+Digit2', 'AltRight+KeyQ', 'AltRight+KeyE', 'AltRight+Digit7', 'Shift+Slash')
  await desktop.press('Enter')
  await desktop.type('Grüße an {alle} [hier] @ 1<2|3 ~ \\ "ß"\nend\n', 'German')
  await desktop.press('Control+KeyD')
  await desktop.expectPrompts(1)
  await serial.enter('clear; cat german')
  await serial.expectText('zyßöäüÜ"@€{_', 3 * MINUTE)
  await serial.expectText('Grüße an {alle} [hier] @ 1<2|3 ~ \\ "ß"', MINUTE)
  await picture('typed-german')

  await desktop.type('setxkbmap fr\n', 'German')
  await desktop.expectPrompts(2)
  await typeInto('french', 'French')
  await desktop.press('KeyQ', 'KeyA', 'KeyW', 'KeyZ', 'Semicolon', 'Digit2', 'Digit7', 'Digit9', 'Digit0')
  await desktop.press('Quote', 'Shift+Digit1', 'AltRight+Digit0', 'AltRight+KeyE', 'KeyM', 'Enter')
  await desktop.type('été à la forge : ça {va} [bien] ? @ 100% #1\nend\n', 'French')
  await desktop.press('Control+KeyD')
  await desktop.expectPrompts(1)
  await serial.enter('clear; cat french')
  await serial.expectText('aqzwméèçàù1@€,', 3 * MINUTE)
  await serial.expectText('été à la forge : ça {va} [bien] ? @ 100% #1', MINUTE)
  await picture('typed-french')
})

test('its screen follows the window', async () => {
  const before = await screen.size()
  await page.setViewportSize({ width: 1160, height: 720 })
  await expect.poll(async () => (await screen.size()).width).toBeLessThan(before.width)
  await desktop.expectDesktop(true, 2 * MINUTE)
  await picture('smaller')
  await page.setViewportSize({ width: 1360, height: 860 })
  await expect.poll(() => screen.size()).toEqual(before)
  await desktop.expectDesktop(true, 2 * MINUTE)
})

test('two browsers watch, and one takes over', async ({ browser }) => {
  const second = await openSecond(browser)
  const hers = new DesktopGuest(second)
  await hers.expectDesktop(true, 2 * MINUTE)
  // The same picture, to the last pixel.
  await expect.poll(async () => (await second.fingerprint()) === (await screen.fingerprint())).toBe(true)
  await expect(second.region.getByText(/ has keyboard and pointer\.$/)).toBeVisible()
  await picture('second-watches', second.page)

  await second.region.getByRole('button', { name: 'Take over' }).click()
  await expect(screen.region.getByText(/ has keyboard and pointer\.$/)).toBeVisible()
  // The first one's keys go nowhere now; the second one's are the guest's.
  await screen.canvas.click()
  await page.keyboard.press('KeyX')
  await page.keyboard.press('KeyX')
  const { width, height } = await second.size()
  await hers.click(width >> 1, height >> 1)
  await hers.type('echo second > taken\n', 'French')
  await serial.enter('clear; until [ -s taken ]; do sleep 1; done; echo by=$(cat taken)')
  await serial.expectText('by=second', 3 * MINUTE)
  await picture('taken-over')
  await second.page.context().close()
})

test('the guest restarts, and the page shows its desktop again by itself', async () => {
  await expect(screen.region.getByText(/ has keyboard and pointer\.$/)).toBeHidden()
  // The notice's room is the guest's again, who follows; its panel comes a moment later.
  await screen.expectFilled()
  await desktop.expectDesktop(true, 2 * MINUTE)
  const { width, height } = await screen.size()
  await desktop.click(width >> 1, height >> 1)
  await desktop.type('sudo reboot\n', 'French')
  // Not by the screen: the login of a session that ends at once begins the next, whose desktop is bare, too.
  await serial.expectText('reboot: Restarting system', 5 * MINUTE)
  await picture('restarting')
  await desktop.expectBareDesktop(20 * MINUTE)
  await screen.expectState('Connected')
  await screen.expectFilled()
  // And it is used as before.
  await desktop.launch('terminal')
  await desktop.expectPrompts(1)
  await picture('restarted')
  await signInToGuest()
})

test('text goes from the browser’s clipboard into the guest’s, and back', async () => {
  const { width, height } = await screen.size()
  await desktop.click(width >> 1, height >> 1)
  await typeInto('pasted', 'German')
  await screen.button('Clipboard')
  await page.getByLabel('Text in the VM’s clipboard').fill('aus dem Browser: Grüße, 日本')
  await page.getByRole('button', { name: 'Send to the VM' }).click()
  await desktop.click(width >> 1, height >> 1)
  // The guest hears of the text by its agent and of the keys by its keyboard: one may be quicker. The panel has a clock.
  const seen = () => screen.fingerprint(40)
  const empty = await seen()
  await expect(async () => {
    await desktop.press('Control+Shift+KeyV')
    await expect.poll(seen, { timeout: 10_000 }).not.toBe(empty)
  }).toPass()
  await desktop.press('Enter', 'Control+KeyD')
  await desktop.expectPrompts(1)
  await serial.enter('clear; cat pasted')
  await serial.expectText('aus dem Browser: Grüße,', 3 * MINUTE)

  // A word that reaches past the terminal's middle, on every line of it: a double click there has one.
  const word = 'gast'.repeat(19)
  await desktop.type("clear; yes $(printf 'gast%.0s' {1..19}) | head -24\n", 'German')
  await desktop.expectPrompts(1, { below: 0.6 })
  // Pointer and keyboard are two devices, of which the guest may read the later one first: what is selected is seen before.
  const plain = await seen()
  // At a hand's pace: libinput takes a second press within 25 ms for a worn button's.
  await desktop.click(width >> 1, height >> 1, { clickCount: 2, delay: 80 })
  await expect.poll(seen).not.toBe(plain)
  await picture('selected')
  await desktop.press('Control+Shift+KeyC')
  await screen.button('Clipboard')
  await expect(page.getByLabel('Text in the VM’s clipboard')).toHaveValue(word)
  await picture('clipboard')
  await page.keyboard.press('Escape')
})

test('a recording shows what the screen showed, and where the pointer was', async () => {
  const notice = screen.region.getByText('Recorded by an administrator')
  await screen.button('More')
  await page.getByRole('menuitem', { name: 'Record this console' }).click()
  await expect(notice).toBeVisible()
  // The wallpaper left of the terminal: nothing is there but the pointer.
  const [x, y] = [60, 300]
  await desktop.click(x, y)
  await serial.enter('clear; echo moved=$((3 * 5))')
  await serial.expectText('moved=15', MINUTE)
  const live = await around(screen.canvas, x, y)
  await screen.button('More')
  await page.getByRole('menuitem', { name: 'Stop recording' }).click()
  await expect(notice).toHaveCount(0)

  await screen.button('More')
  await page.getByRole('menuitem', { name: 'Recordings' }).click()
  await page.getByRole('link', { name: /^Play the recording of studio/ }).click()
  const canvas = page.getByRole('region', { name: 'Player' }).locator('canvas')
  await expect(canvas).toBeVisible()
  // The browser draws the pointer of the live screen beside the picture; here it is in it.
  await expect
    .poll(async () => {
      const recorded = await around(canvas, x, y)
      return recorded.filter((value, index) => Math.abs(value - live[index]!) > 60).length
    })
    .toBeGreaterThan(40)
  await picture('recording')
  screen = await openScreen(page)
  desktop = new DesktopGuest(screen)
  await desktop.expectDesktop(true, 2 * MINUTE)
  await desktop.launch('files', 2)
  await picture('files')
  await page.goto('/vms')
  await expect(page.getByRole('img', { name: 'What studio shows now' }).first()).toBeVisible()
  await picture('list')
})

/** On its serial console; cloud-init may set the password a moment after the prompt is there. */
async function signInToGuest(): Promise<void> {
  await expect(async () => {
    await serial.enter('')
    await serial.expectText(/login: *$/m, 20_000)
    await serial.enter(guest.user)
    await serial.expectText(/Password: *$/m, 30_000)
    await serial.enter(guest.password)
    await serial.expectText(/ada@studio:~\$ *$/m, 60_000)
  }).toPass({ timeout: 8 * MINUTE })
}

/**
 * Has `cat` write what is typed to a file. Until it reads, the shell has the terminal in its own mode, in which an end of
 * text is the end of the shell.
 */
async function typeInto(file: string, layout: 'German' | 'French'): Promise<void> {
  await desktop.type(`clear; cat > ${file}\n`, layout)
  await serial.enter(`clear; until [ -e ${file} ]; do sleep 1; done; echo open=$((6 * 7))`)
  await serial.expectText('open=42', 3 * MINUTE)
  await desktop.expectPrompts(0)
}

async function openSecond(browser: Browser): Promise<ScreenPage> {
  return openScreen(await administratorPage(browser))
}

/** Red, green and blue of the pixels about a place of a canvas. */
function around(canvas: Locator, x: number, y: number): Promise<number[]> {
  return canvas.evaluate(
    (element: HTMLCanvasElement, [left, top]) => {
      const { data } = element.getContext('2d')!.getImageData(left!, top!, 48, 48)
      return [...data].filter((_, index) => index % 4 !== 3)
    },
    [x - 16, y - 16],
  )
}
