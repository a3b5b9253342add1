import { expect, type Locator, type Page } from '@playwright/test'

/** `/vms`: the list of VMs. */
export class VmListPage {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  async open(): Promise<void> {
    await this.#page.goto('/vms')
    await expect(this.#page.getByRole('heading', { name: 'Virtual machines', level: 1 })).toBeVisible()
  }

  /** The link is there in the empty list and in a full one, in other words. */
  async create(): Promise<void> {
    await this.#page
      .getByRole('link', { name: /^Create (VM|your first VM)$/ })
      .first()
      .click()
    await expect(this.#page.getByRole('heading', { name: 'Create a VM' })).toBeVisible()
  }

  row(name: string): Locator {
    return this.#page.getByRole('row').filter({ has: this.#page.getByRole('link', { name, exact: true }) })
  }

  async openVm(name: string): Promise<void> {
    await this.#page.getByRole('link', { name, exact: true }).filter({ visible: true }).click()
    await expect(this.#page.getByRole('heading', { name, level: 1 })).toBeVisible()
  }

  async expectState(name: string, state: string, timeout: number): Promise<void> {
    await expect(this.row(name).getByText(state, { exact: true })).toBeVisible({ timeout })
  }

  async expectAbsent(name: string, timeout: number): Promise<void> {
    await expect(this.#page.getByRole('link', { name, exact: true })).toHaveCount(0, { timeout })
  }
}
