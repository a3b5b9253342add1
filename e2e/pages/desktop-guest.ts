import { expect, type Locator } from '@playwright/test'
import type { ScreenPage } from './screen-page.ts'

/** Where the panel of the image "Debian 12 Desktop" has its launchers: pixels from its left edge. */
const LAUNCHER = { terminal: 22, files: 52, editor: 82 } as const
const PANEL_MIDDLE = 18

/** What the guest's desktop shows, told from its pixels as a person would tell it. */
interface Sight {
  readonly width: number
  readonly height: number
  /** The wallpaper's glow above the middle of the panel. */
  readonly glow: readonly [number, number, number]
  readonly panel: readonly [number, number, number]
  /** Colours where the launchers are. */
  readonly launcherColours: number
  /** The windows' buttons in the panel, the first and the second. */
  readonly tasks: readonly (readonly [number, number, number])[]
}

/** A guest of that image, seen and used through its screen. */
export class DesktopGuest {
  private readonly screen: ScreenPage

  constructor(screen: ScreenPage) {
    this.screen = screen
  }

  private see(): Promise<Sight> {
    return this.screen.canvas.evaluate((canvas: HTMLCanvasElement): Sight => {
      const { width, height } = canvas
      const context = canvas.getContext('2d')!
      const at = (x: number, y: number): [number, number, number] => {
        const [red, green, blue] = context.getImageData(x, y, 1, 1).data
        return [red!, green!, blue!]
      }
      const launchers = new Uint32Array(context.getImageData(4, height - 34, 96, 32).data.buffer)
      return {
        width,
        height,
        glow: at(width >> 1, height - 44),
        panel: at(width >> 1, height - 18),
        launcherColours: new Set(launchers).size,
        tasks: [at(300, height - 18), at(526, height - 18)],
      }
    })
  }

  /** The panel with its launchers, which no window covers. */
  async showsDesktop(): Promise<boolean> {
    if ((await this.screen.canvas.count()) === 0) return false
    const { panel, launcherColours } = await this.see()
    return Math.max(...panel) < 72 && launcherColours > 50
  }

  /** Only where no window lies above the middle of the panel. */
  async showsWallpaper(): Promise<boolean> {
    const { glow } = await this.see()
    return glow[0] > 90 && glow[0] > 2 * glow[2]
  }

  /** Whether that window, counted from 1, is the active one: its button is orange. */
  async isActive(window: number): Promise<boolean> {
    const [red, green, blue] = (await this.see()).tasks[window - 1]!
    return red > 170 && green < 120 && blue < 70
  }

  async expectDesktop(shown: boolean, timeout: number): Promise<void> {
    await expect.poll(() => this.showsDesktop(), { timeout, intervals: [1000] }).toBe(shown)
  }

  /** The desktop with nothing on it. */
  async expectBareDesktop(timeout: number): Promise<void> {
    await this.expectDesktop(true, timeout)
    await expect.poll(() => this.showsWallpaper(), { timeout, intervals: [1000] }).toBe(true)
  }

  /** Clicks a launcher of the panel and waits for its window, the first or second. */
  async launch(program: keyof typeof LAUNCHER, window = 1): Promise<void> {
    const { height } = await this.screen.size()
    await this.click(LAUNCHER[program], height - PANEL_MIDDLE)
    await expect.poll(() => this.isActive(window), { intervals: [500] }).toBe(true)
  }

  /** A click on a pixel of the guest's picture. */
  async click(x: number, y: number, options: Parameters<Locator['click']>[0] = {}): Promise<void> {
    const { width } = await this.screen.size()
    const box = (await this.screen.canvas.boundingBox())!
    const scale = box.width / width
    await this.screen.canvas.click({ position: { x: x * scale, y: y * scale }, ...options })
  }

  /** Keys by their place, one after the other; `Shift+KeyA` and `AltRight+KeyQ` hold another one. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.screen.page.keyboard.press(key)
  }

  /** Through the page's own way to type a text, for a guest set to that keyboard. */
  async type(text: string, layout: 'German' | 'French'): Promise<void> {
    const { page } = this.screen
    await this.screen.button('Type text')
    const field = page.getByLabel('Text to type')
    await field.fill(text)
    await page.getByLabel('Keyboard the VM is set up for').selectOption(layout)
    await page.getByRole('button', { name: 'Type', exact: true }).click()
    await expect(field).toBeHidden()
    await expect(this.screen.canvas).toBeFocused()
  }

  /** Where lines of the terminal begin with the shell's prompt, from 0 at the top to 1: nothing else is of its green. */
  private prompts(): Promise<number[]> {
    return this.screen.canvas.evaluate((canvas: HTMLCanvasElement) => {
      const [left, width, height] = [120, canvas.width - 240, canvas.height - 40]
      const { data } = canvas.getContext('2d')!.getImageData(left, 0, width, height)
      const isGreen = (at: number): boolean =>
        data[at + 1]! > 120 && data[at + 1]! - data[at]! > 30 && data[at + 1]! - data[at + 2]! > 30
      const lines: number[] = []
      let above = false
      for (let y = 0; y < height; y++) {
        let green = false
        for (let x = 0; x < width && !green; x++) green = isGreen((y * width + x) * 4)
        if (green && !above) lines.push(y / height)
        above = green
      }
      return lines
    })
  }

  /** So many prompts are on its terminal: the shell waits for a command, or (none after a `clear`) a program runs. */
  async expectPrompts(count: number, { below = 0 } = {}): Promise<void> {
    const seen = async (): Promise<number> => (await this.prompts()).filter((at) => at >= below).length
    await expect.poll(seen, { timeout: 300_000, intervals: [250, 500] }).toBe(count)
  }
}
