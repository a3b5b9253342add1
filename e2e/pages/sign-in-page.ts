import { expect, type Locator, type Page } from '@playwright/test'

export class SignInPage {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  get heading(): Locator {
    return this.#page.getByRole('heading', { name: 'Sign in' })
  }

  async open(): Promise<void> {
    await this.#page.goto('/sign-in')
    await expect(this.heading).toBeVisible()
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.#page.getByLabel('E-mail').fill(email)
    await this.#page.getByLabel('Password', { exact: true }).fill(password)
    await this.#page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  /** From any page of a signed-in person. */
  async signOut(): Promise<void> {
    await this.#page.getByRole('button', { name: 'Account menu' }).filter({ visible: true }).click()
    await this.#page.getByRole('menuitem', { name: 'Sign out' }).click()
    await expect(this.heading).toBeVisible()
  }
}
