import { expect, type Locator, type Page } from '@playwright/test'

/** `/projects` and `/projects/ID`: members, invitations, quota. */
export class ProjectPage {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  async create(name: string): Promise<void> {
    await this.#page.goto('/projects')
    await this.#page.getByRole('button', { name: 'New project' }).click()
    await this.#page.getByLabel('Name of the project').fill(name)
    await this.#page.getByRole('button', { name: 'Create project' }).click()
    await expect(this.#page.getByRole('heading', { name, level: 1 })).toBeVisible()
  }

  async open(name: string): Promise<void> {
    await this.#page.goto('/projects')
    await this.#page.getByRole('main').getByRole('link', { name, exact: true }).click()
    await expect(this.#page.getByRole('heading', { name, level: 1 })).toBeVisible()
  }

  /** Returns the link. */
  async invite(note: string, role: 'Viewer' | 'Member' | 'Owner'): Promise<string> {
    await this.#page.getByRole('button', { name: 'Invite', exact: true }).click()
    const dialog = this.#page.getByRole('dialog', { name: /^(Invite somebody to|Send this link)/ })
    await dialog.getByLabel('Whom is it for?').fill(note)
    await dialog.getByLabel('Role').selectOption({ label: role })
    await dialog.getByRole('button', { name: 'Make invitation' }).click()
    const link = dialog.getByText(/\/invitation#token=/)
    await expect(link).toBeVisible()
    const address = (await link.textContent())!.trim()
    await dialog.getByRole('button', { name: 'Done' }).click()
    return address
  }

  async setLimit(what: string, value: string): Promise<void> {
    await this.#page.getByRole('button', { name: 'Change quota' }).click()
    const dialog = this.#page.getByRole('dialog', { name: /^Quota of/ })
    await dialog.getByLabel(what, { exact: true }).fill(value)
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(dialog).toBeHidden()
  }

  member(name: string): Locator {
    return this.#page.getByRole('listitem').filter({ hasText: name })
  }

  async setRole(name: string, role: 'Viewer' | 'Member' | 'Owner'): Promise<void> {
    await this.#page.getByLabel(`Role of ${name}`).selectOption({ label: role })
    await expect(this.#page.getByLabel(`Role of ${name}`)).toHaveValue(role.toLowerCase())
  }

  gauge(what: string): Locator {
    return this.#page.getByRole('meter', { name: what })
  }
}

/** `/invitation#token=…`: a new account by an invitation; ends on the dashboard. */
export async function joinByInvitation(
  page: Page,
  link: string,
  person: { name: string; email: string; password: string },
): Promise<void> {
  await page.goto(link)
  await page.getByLabel('Your name').fill(person.name)
  await page.getByLabel('E-mail').fill(person.email)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByRole('button', { name: 'Create account and join' }).click()
  await expect(page.getByRole('button', { name: 'Account menu' })).toBeVisible()
}
