import { expect, type Locator, type Page } from '@playwright/test'

/** The serial console, as a tab of a VM's page or as a page of its own. */
export class ConsolePage {
  readonly #page: Page
  readonly #name: string

  constructor(page: Page, vmName: string) {
    this.#page = page
    this.#name = vmName
  }

  get #console(): Locator {
    return this.#page.getByRole('region', { name: `Serial console of ${this.#name}` })
  }

  /** The terminal's rows: xterm's DOM renderer writes one element a line. */
  get screen(): Locator {
    return this.#console.locator('.xterm-rows')
  }

  async expectState(
    state: 'Connected' | 'Connecting' | 'Reconnecting' | 'VM is stopped',
    timeout: number,
  ): Promise<void> {
    await expect(
      this.#console.getByRole('group', { name: 'Console', exact: true }).getByRole('status', { name: state }),
    ).toBeVisible({
      timeout,
    })
  }

  async expectText(text: string | RegExp, timeout: number): Promise<void> {
    await expect(this.screen).toContainText(text, { timeout })
  }

  /** What is on screen now, a line each, without the blanks that fill a row. */
  async lines(): Promise<string[]> {
    const rows = await this.screen.locator('> div').allTextContents()
    return rows.map((row) => row.replaceAll('\u00a0', ' ').trimEnd())
  }

  async type(text: string): Promise<void> {
    await this.#console.getByRole('textbox', { name: 'Terminal input' }).focus()
    await this.#page.keyboard.type(text, { delay: 10 })
  }

  async enter(line: string): Promise<void> {
    await this.type(line)
    await this.#page.keyboard.press('Enter')
  }

  /** The address of the console in a tab of its own. */
  async ownTabHref(): Promise<string> {
    const href = await this.#console.getByRole('link', { name: 'Open in own tab' }).getAttribute('href')
    if (!href) throw new Error('The console has no link to its own tab.')
    return href
  }
}
