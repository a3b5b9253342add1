import { expect, type Locator, type Page } from '@playwright/test'
import { dialogOf } from '../support/dialog.ts'

export interface OwnImage {
  name: string
  /** Without one it runs no cloud-init. */
  loginUser?: string
  checksum?: string
}

/** `/images`: the catalogue, and the two forms that add to it. */
export class ImagesPage {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  async open(): Promise<void> {
    await this.page.goto('/images')
    await expect(this.page.getByRole('heading', { name: 'Images', level: 1 })).toBeVisible()
  }

  card(name: string): Locator {
    return this.page.getByRole('listitem').filter({ has: this.page.getByRole('link', { name, exact: true }) })
  }

  async startImport(image: OwnImage & { url: string; ownNetwork?: boolean }): Promise<void> {
    await this.page.getByRole('button', { name: 'From an address' }).click()
    const dialog = dialogOf(this.page)
    await dialog.getByLabel('Address', { exact: true }).fill(image.url)
    await this.#fill(dialog, image)
    if (image.ownNetwork) {
      const allowed = dialog.getByRole('switch', { name: 'Allow addresses of our own network' })
      if (!(await allowed.isChecked())) await allowed.click()
      await expect(allowed).toBeChecked()
    }
    await dialog.getByRole('button', { name: 'Import' }).click()
    await expect(dialog).toBeHidden()
  }

  async startUpload(image: OwnImage & { file: string }): Promise<void> {
    await this.page.getByRole('button', { name: 'Upload a file' }).click()
    const dialog = dialogOf(this.page)
    await dialog.getByLabel('File').setInputFiles(image.file)
    await this.#fill(dialog, image)
    await dialog.getByRole('button', { name: 'Upload' }).click()
    await expect(dialog).toBeHidden()
  }

  async #fill(dialog: Locator, { name, loginUser, checksum }: OwnImage): Promise<void> {
    await dialog.getByLabel('Name', { exact: true }).fill(name)
    if (loginUser) await dialog.getByLabel('Login user').fill(loginUser)
    else await dialog.getByLabel('It runs cloud-init').uncheck()
    if (checksum) await dialog.getByLabel('Checksum').fill(checksum)
  }

  async expectState(name: string, state: string, timeout = 60_000): Promise<void> {
    await expect(this.card(name).getByText(state, { exact: true })).toBeVisible({ timeout })
  }
}
