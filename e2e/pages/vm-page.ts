import { expect, type Locator, type Page } from '@playwright/test'
import { dialogOf } from '../support/dialog.ts'

/** `/vms/<id>`: one VM, whichever of its tabs is open. */
export class VmPage {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** The pill beside the name is the first to say it. */
  async expectState(state: string, timeout: number): Promise<void> {
    await expect(this.#page.getByRole('main').getByText(state, { exact: true }).first()).toBeVisible({
      timeout,
    })
  }

  button(name: 'Start' | 'Shut down' | 'Console'): Locator {
    return this.#page.getByRole('main').getByRole('button', { name, exact: true })
  }

  async #menuItem(name: 'Reset' | 'Power off' | 'Delete'): Promise<void> {
    await this.#page.getByRole('main').getByRole('button', { name: 'More actions' }).click()
    await this.#page.getByRole('menuitem', { name }).click()
  }

  async start(): Promise<void> {
    await this.button('Start').click()
  }

  async shutdown(): Promise<void> {
    await this.button('Shut down').click()
  }

  async reset(): Promise<void> {
    await this.#menuItem('Reset')
    await dialogOf(this.#page).getByRole('button', { name: 'Reset', exact: true }).click()
  }

  async poweroff(): Promise<void> {
    await this.#menuItem('Power off')
    await dialogOf(this.#page).getByRole('button', { name: 'Power off', exact: true }).click()
  }

  /** Types the name, as the dialog asks, and ends on the list. */
  async delete(name: string): Promise<void> {
    await this.#menuItem('Delete')
    const dialog = dialogOf(this.#page)
    await dialog.getByLabel(`Type ${name} to confirm`).fill(name)
    await dialog.getByRole('button', { name: 'Delete VM' }).click()
    await expect(this.#page.getByRole('heading', { name: 'Virtual machines', level: 1 })).toBeVisible()
  }

  async openTab(
    name:
      | 'Overview'
      | 'Console'
      | 'Metrics'
      | 'Disks'
      | 'Snapshots'
      | 'Network'
      | 'Settings'
      | 'Activity'
      | 'API',
  ): Promise<void> {
    await this.#page
      .getByRole('navigation', { name: 'Sections of this VM' })
      .getByRole('link', { name, exact: true })
      .click()
  }

  /** The line to connect by SSH, once the VM has an address. */
  sshLine(): Locator {
    return this.#page.getByText(/^\$ ssh \S+@\S+$/)
  }
}
