import { AxeBuilder } from '@axe-core/playwright'
import { expect } from '@playwright/test'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

test('an empty folder is begun encrypted, once its recovery key is written down', async ({ page, home }) => {
  await home.tell('step 5')
  await page.goto('/backups')
  await settled(page)
  await page.getByLabel('Folder on the host').fill('/mnt/usb')
  await page.getByRole('switch', { name: 'Encrypt what is written there' }).click()
  await expect(page.getByLabel('Recovery key')).toHaveValue(/^[0-9a-f]{8}(-[0-9a-f]{8}){7}$/)
  const save = page.getByRole('button', { name: 'Save' }).first()
  await expect(save).toHaveAttribute('aria-disabled', 'true')
  await page.getByRole('switch', { name: 'I have written it down' }).click()
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  await page.screenshot({ path: `${test.info().project.outputDir}/backup-encrypted.png` })
  await save.click()
  await expect(page.getByText('Backups go there now')).toBeVisible()
  await expect(page.getByText('read with its recovery key only')).toBeVisible()
})
