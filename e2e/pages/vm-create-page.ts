import { expect, type Locator, type Page } from '@playwright/test'

export interface NewVm {
  /** As the catalogue shows it: "Debian 12". */
  image: string
  name: string
  size?: 'Small' | 'Medium' | 'Large'
  /** Instead of an offered size. */
  custom?: { cpus: number; memoryGib: number }
  /** For images with cloud-init. */
  user?: string
  password?: string
}

/** `/vms/new`. */
export class VmCreatePage {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  async open(): Promise<void> {
    await this.#page.goto('/vms/new')
    await expect(this.#page.getByRole('heading', { name: 'Create a VM' })).toBeVisible()
  }

  image(name: string): Locator {
    return this.#page.getByRole('radio', { name, exact: true })
  }

  buildButton(image: string): Locator {
    return this.#page.getByRole('button', { name: `Build now: ${image}`, exact: true })
  }

  get submitButton(): Locator {
    return this.#page.getByRole('button', { name: 'Create VM', exact: true })
  }

  async fill(vm: NewVm): Promise<void> {
    await this.image(vm.image).check({ force: true })
    if (vm.size) await this.#page.getByRole('radio', { name: vm.size, exact: true }).check({ force: true })
    if (vm.custom) {
      await this.#page.getByRole('radio', { name: 'Custom', exact: true }).check({ force: true })
      await this.#page.getByRole('textbox', { name: 'vCPUs', exact: true }).fill(String(vm.custom.cpus))
      await this.#page.getByRole('textbox', { name: 'Memory', exact: true }).fill(String(vm.custom.memoryGib))
    }
    await this.#page.getByRole('textbox', { name: 'Name', exact: true }).fill(vm.name)
    if (vm.user !== undefined || vm.password !== undefined) await this.unfold('Signing in')
    if (vm.user !== undefined)
      await this.#page.getByRole('textbox', { name: 'User', exact: true }).fill(vm.user)
    if (vm.password !== undefined) await this.#page.getByLabel('Password', { exact: true }).fill(vm.password)
  }

  /** Opens one of the folded parts, unless it is open. */
  async unfold(title: string): Promise<void> {
    const fold = this.#page.locator('details').filter({ has: this.#page.getByText(title, { exact: true }) })
    if (!(await fold.evaluate((details: HTMLDetailsElement) => details.open)))
      await fold.locator('summary').click()
  }

  /** Presses the button and ends on the page of the VM, which waits for its image if it has to. */
  async submit(name: string, timeout: number): Promise<void> {
    await this.submitButton.click()
    await expect(this.#page.getByRole('heading', { name, level: 1 })).toBeVisible({ timeout })
  }
}
