/**
 * `npm run screenshots`: pictures of every page, light and dark, wide and on a phone, into docs/screenshots. Run by hand when
 * the look has changed; tests never write there. `-- NAME…` takes only the pages of these names, `--out DIR` elsewhere.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from '@playwright/test'
import { buildPages, generateDatabaseClient } from '../infra/build/portal.ts'
import { everyPage, settled } from './support/every-page.ts'
import { startShowcase } from './support/showcase-process.ts'

const { values, positionals } = parseArgs({
  options: { out: { type: 'string' }, locale: { type: 'string', default: 'en-GB' } },
  allowPositionals: true,
})
const out = values.out ?? fileURLToPath(new URL('../docs/screenshots', import.meta.url))
await mkdir(out, { recursive: true })

// Of the sources as they are, also in a clone where nothing was built yet.
await generateDatabaseClient()
await buildPages(() => {})
const home = await startShowcase('full')
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
})
const shapes = [
  { suffix: '', viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 },
  {
    suffix: '-phone',
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 1,
    isMobile: true,
    hasTouch: true,
  },
]
for (const { suffix, ...shape } of shapes) {
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({
      ...shape,
      colorScheme,
      baseURL: home.url,
      locale: values.locale,
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    page.on('console', (message) => {
      if (message.type() === 'error') process.stdout.write(`${page.url()}: ${message.text()}\n`)
    })
    page.on('pageerror', (error) => process.stdout.write(`${page.url()}: ${error.message}\n`))
    await page.request.post('/api/auth/sign-in/email', {
      data: { email: home.email, password: home.password },
      headers: { origin: home.url },
    })
    const cookies = await context.cookies()
    for (const each of everyPage) {
      if (positionals.length > 0 && !positionals.includes(each.name)) continue
      if (each.signedOut) await context.clearCookies()
      else await context.addCookies(cookies)
      // A new document each time: what a socket was opened as stays as it is.
      await page.goto('about:blank')
      await page.goto(each.path(home))
      await settled(page)
      await each.prepare?.(page)
      await page.screenshot({
        path: path.join(out, `${each.name}-${colorScheme}${suffix}.png`),
        animations: 'disabled',
      })
    }
    await context.close()
  }
}
await browser.close()
await home.stop()
