import { type Browser, expect, type Page } from '@playwright/test'
import { SetupPage } from '../pages/setup-page.ts'
import { SignInPage } from '../pages/sign-in-page.ts'
import { administrator } from './administrator.ts'

/** A browser of its own, signed in as the administrator, of a home that is set up now at the latest. */
export async function administratorPage(browser: Browser): Promise<Page> {
  const page = await (await browser.newContext()).newPage()
  await page.goto('/sign-in')
  const form = page.getByRole('form', { name: 'Sign in' })
  const fresh = page.getByRole('heading', { name: 'This home is not set up yet' })
  await expect(form.or(fresh)).toBeVisible()
  if (await fresh.isVisible()) {
    const setup = new SetupPage(page)
    await setup.open(process.env.HEARTH_SETUP_URL!)
    await setup.complete(administrator)
  } else {
    await new SignInPage(page).signIn(administrator.email, administrator.password)
  }
  await expect(page.getByRole('heading', { name: administrator.homeName, level: 1 })).toBeVisible()
  return page
}
