import { AxeBuilder } from '@axe-core/playwright'
import { expect } from '@playwright/test'
import { VmPage } from '../pages/vm-page.ts'
import { dialogOf } from '../support/dialog.ts'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

test('a VM becomes another image’s after its name is typed, and its page says so', async ({ page, home }) => {
  await home.tell('step 5')
  await page.goto(`/vms/${home.vms['quiet-kettle']}/settings`)
  await settled(page)
  await page.getByRole('button', { name: 'Rebuild…' }).click()
  const dialog = dialogOf(page)
  const rebuild = dialog.getByRole('button', { name: 'Rebuild', exact: true })
  await expect(rebuild).toHaveAttribute('aria-disabled', 'true')
  await dialog.getByLabel('Image').selectOption({ label: 'Tiny Linux' })
  await dialog.getByLabel('Type quiet-kettle to rebuild it').fill('quiet-kettle')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  await page.screenshot({ path: `${test.info().project.outputDir}/rebuild.png` })
  await rebuild.click()
  await expect(dialog).toBeHidden()
  await new VmPage(page).openTab('Overview')
  await expect(page.getByRole('main').getByText('Tiny Linux').first()).toBeVisible()
})
