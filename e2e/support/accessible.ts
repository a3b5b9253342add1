import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** WCAG 2.2 A and AA, and what axe counts as good practice. */
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const phone = { width: 375, height: 760 }

/** What is shown now has no violation in either theme, and nothing that sticks out of a phone. */
export async function expectAccessible(page: Page): Promise<void> {
  // The page's landmarks are about what lies in the page; a menu lies over it, and axe does not know that.
  const overPage = (await page.getByRole('menu').count()) > 0 ? ['region'] : []
  expect(await violations(new AxeBuilder({ page }).withTags(rules).disableRules(overPage))).toEqual([])
  // Of all rules only those about colours can find something else in the other theme.
  await darken(page)
  expect(
    await violations(new AxeBuilder({ page }).withRules(['color-contrast', 'link-in-text-block'])),
    'in the dark theme',
  ).toEqual([])
  await page.setViewportSize(phone)
  expect(await tooWide(page), 'what sticks out on a phone').toEqual([])
}

async function violations(axe: AxeBuilder) {
  const found = await axe.analyze()
  return found.violations.map(({ id, help, nodes }) => ({
    id,
    help,
    where: nodes.map(({ html }) => html.slice(0, 200)),
  }))
}

/** As choosing "Dark" in the account menu does; done when no colour is on its way any more. */
async function darken(page: Page): Promise<void> {
  await page.evaluate(async () => {
    document.documentElement.dataset.theme = 'dark'
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    // Again until there is none: where parts inherit a colour on its way, their own transitions begin after it.
    do {
      await frame()
      await frame()
      await Promise.allSettled(document.getAnimations().map(({ finished }) => finished))
      await frame()
    } while (document.getAnimations().length > 0)
  })
}

/** Elements that make the whole page scroll sideways. */
async function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth <= width) return []
    return [...document.querySelectorAll('main *, header *, [role="dialog"] *')]
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .map((element) => element.outerHTML.slice(0, 160))
      .slice(0, 5)
  })
}
