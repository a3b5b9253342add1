/**
 * From a key in the browser to its pixel on the canvas: Chromium, the portal's page, its WebSocket, the portal, an RFB
 * server of ours whose screen changes at each key, and back. Without a guest: what the path itself takes.
 */
import { chromium } from '@playwright/test'
import { startPaintedPortal } from '../../../e2e/support/painted-process.ts'

/** The corner that changes its colour. */
const SPOT = { x: 20, y: 20 } as const
const KEYS = 40

/** Milliseconds, one for each key; frames of the browser are their steps. */
export async function keyToPixel(): Promise<number[]> {
  const portal = await startPaintedPortal()
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  try {
    await portal.tell('flash')
    const page = await browser.newPage({ baseURL: portal.url, viewport: { width: 1360, height: 860 } })
    await page.goto('/sign-in')
    await page.getByLabel('E-mail').fill('ada@example.org')
    await page.getByLabel('Password', { exact: true }).fill(portal.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.waitForURL((url) => url.pathname !== '/sign-in')
    await page.goto(`/vms/${portal.vmId}/console`)
    const canvas = page.getByRole('application').locator('canvas')
    await canvas.click()
    await page.evaluate((spot) => {
      const target = document.querySelector<HTMLCanvasElement>('[role=application] canvas')!
      const context = target.getContext('2d')!
      const colour = () => context.getImageData(spot.x, spot.y, 1, 1).data.join()
      const times: number[] = []
      Object.assign(window, { keyTimes: times })
      window.addEventListener(
        'keydown',
        () => {
          const pressed = performance.now()
          const before = colour()
          const look = () => {
            if (colour() === before) requestAnimationFrame(look)
            else times.push(performance.now() - pressed)
          }
          requestAnimationFrame(look)
        },
        { capture: true },
      )
    }, SPOT)
    const times = () => page.evaluate(() => (window as unknown as { keyTimes: number[] }).keyTimes)
    for (let key = 1; key <= KEYS; key++) {
      await page.keyboard.press('KeyA')
      await page.waitForFunction(
        (count) => (window as unknown as { keyTimes: number[] }).keyTimes.length >= count,
        key,
      )
    }
    return await times()
  } finally {
    await browser.close()
    await portal.stop()
  }
}
