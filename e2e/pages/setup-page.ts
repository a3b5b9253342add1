import { expect, type Page } from '@playwright/test'

export interface FirstAdministrator {
  homeName: string
  name: string
  email: string
  password: string
}

/** `/setup#token=…`: the first administrator. */
export class SetupPage {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** `link` is what Hearth printed when it was started. */
  async open(link: string): Promise<void> {
    await this.#page.goto(link)
    await expect(this.#page.getByRole('heading', { name: 'Welcome home' })).toBeVisible()
  }

  /** Ends on the dashboard, signed in. */
  async complete(person: FirstAdministrator): Promise<void> {
    await this.#page.getByLabel('Name of the home').fill(person.homeName)
    await this.#page.getByLabel('Your name').fill(person.name)
    await this.#page.getByLabel('E-mail').fill(person.email)
    await this.#page.getByLabel('Password', { exact: true }).fill(person.password)
    await this.#page.getByRole('button', { name: 'Set up Hearth' }).click()
    await expect(this.#page.getByRole('heading', { name: 'How your VMs reach the network' })).toBeVisible()
    await expect(this.#page.getByRole('radio', { checked: true })).toBeVisible()
    await this.#page.getByRole('button', { name: 'Next' }).click()
    await expect(this.#page.getByRole('heading', { name: 'A first image' })).toBeVisible()
    await expect(this.#page.getByText('Tiny Linux', { exact: true })).toBeVisible()
    await this.#page.getByRole('button', { name: 'To my home' }).click()
    await expect(this.#page.getByRole('heading', { name: person.homeName, level: 1 })).toBeVisible()
  }
}
