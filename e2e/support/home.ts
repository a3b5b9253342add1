import { type Browser, expect, type Page } from '@playwright/test'
import { SetupPage } from '../pages/setup-page.ts'
import { SignInPage } from '../pages/sign-in-page.ts'
import { administrator } from './administrator.ts'

/** A browser of its own, signed in as the administrator, of a home that is set up now at the latest. */
export async function administratorPage(browser: Browser): Promise<Page> {
  const page = await (await browser.newContext()).newPage()
  // The set-up link says for certain whether there is anything to set up; the sign-in page learns it only later.
  const link = new URL(process.env.HEARTH_SETUP_URL!)
  await page.goto(link.pathname + link.hash)
  const fresh = page.getByRole('heading', { name: 'Welcome home' })
  await expect(fresh.or(page.getByRole('heading', { name: 'This link has been used' }))).toBeVisible()
  if (await fresh.isVisible()) {
    await new SetupPage(page).complete(administrator)
  } else {
    const signIn = new SignInPage(page)
    await signIn.open()
    await signIn.signIn(administrator.email, administrator.password)
  }
  await expect(page.getByRole('heading', { name: administrator.homeName, level: 1 })).toBeVisible()
  return page
}
