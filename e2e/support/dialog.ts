import type { Locator, Page } from '@playwright/test'

/** The dialog that is open. A notice that comes and goes is a dialog, too, but one that is not modal. */
export function dialogOf(page: Page): Locator {
  return page.locator('[role="dialog"]:not([aria-modal="false"])')
}
