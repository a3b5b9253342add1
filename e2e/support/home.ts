import { type Browser, expect, type Page } from '@playwright/test'
import { SetupPage } from '../pages/setup-page.ts'
import { administrator } from './administrator.ts'

/** A browser of its own, signed in as the administrator, of a home that is set up now at the latest. */
export async function administratorPage(browser: Browser): Promise<Page> {
  const page = await (await browser.newContext()).newPage()
  await page.goto('/sign-in')
  const { email, password } = administrator
  // Whether it works says for certain whether the home is set up; a page learns it only a moment after it is shown.
  const answer = await page.request.post('/api/auth/sign-in/email', {
    data: { email, password },
    headers: { origin: new URL(page.url()).origin },
  })
  if (answer.ok()) await page.goto('/')
  else {
    const link = new URL(process.env.HEARTH_SETUP_URL ?? '')
    const setup = new SetupPage(page)
    await setup.open(link.pathname + link.hash)
    await setup.complete(administrator)
  }
  await expect(page.getByRole('heading', { name: administrator.homeName, level: 1 })).toBeVisible()
  return page
}
