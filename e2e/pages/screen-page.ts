import { expect, type Locator, type Page } from '@playwright/test'

/** A VM's screen, as a view of its console or as a page of its own. */
export class ScreenPage {
  readonly page: Page
  readonly region: Locator

  constructor(page: Page, vmName: string) {
    this.page = page
    this.region = page.getByRole('region', { name: `Screen of ${vmName}` })
  }

  get canvas(): Locator {
    return this.region.getByRole('application').locator('canvas')
  }

  get controls(): Locator {
    return this.region.getByRole('group', { name: 'Screen controls' })
  }

  async expectState(state: 'Connected' | 'Reconnecting' | 'VM is stopped', timeout?: number): Promise<void> {
    const options = timeout === undefined ? {} : { timeout }
    await expect(this.controls.getByRole('status', { name: state })).toBeVisible(options)
  }

  /** The guest's picture in pixels. */
  size(): Promise<{ width: number; height: number }> {
    return this.canvas.evaluate(({ width, height }: HTMLCanvasElement) => ({ width, height }))
  }

  /** The guest has taken the size of the window. */
  async expectFilled(timeout?: number): Promise<void> {
    await expect
      .poll(
        async () => {
          const box = (await this.region.getByRole('application').boundingBox())!
          const { width, height } = await this.size()
          return Math.max(Math.abs(width - box.width), Math.abs(height - box.height))
        },
        timeout === undefined ? {} : { timeout },
      )
      .toBeLessThanOrEqual(1)
  }

  /** One pixel of it, as #rrggbb. */
  pixel(x: number, y: number): Promise<string> {
    return this.canvas.evaluate(
      (canvas: HTMLCanvasElement, [px, py]) => {
        const [red, green, blue] = canvas.getContext('2d')!.getImageData(px!, py!, 1, 1).data
        return `#${[red, green, blue].map((value) => value!.toString(16).padStart(2, '0')).join('')}`
      },
      [x, y],
    )
  }

  /** Of all pixels of the picture, but for so many rows at its lower edge. */
  fingerprint(without = 0): Promise<string> {
    return this.canvas.evaluate(async (canvas: HTMLCanvasElement, without) => {
      const { width, height } = canvas
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height - without)
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data))
      return `${width}x${height} ${[...hash].join()}`
    }, without)
  }

  async button(name: string): Promise<void> {
    await this.controls.getByRole('button', { name, exact: true }).click()
  }
}
