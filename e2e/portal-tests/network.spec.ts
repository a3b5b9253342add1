import { expect } from '@playwright/test'
import { dialogOf } from '../support/dialog.ts'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

test('a port is forwarded, one that leads to another VM is refused beside its field, and it is taken away', async ({
  page,
  home,
}) => {
  await home.tell('step 5')
  await page.goto(`/vms/${home.vms['quiet-kettle']}/network`)
  await settled(page)
  await page.getByRole('button', { name: 'Forward a port' }).click()
  const dialog = dialogOf(page)
  const hostPort = dialog.getByLabel('Port of the box')
  await expect(hostPort).toHaveValue('8080')
  await hostPort.fill('8443')
  await expect(dialog.getByRole('alert')).toHaveText('That port leads to photo-library already.')
  await hostPort.fill('22')
  await expect(dialog.getByRole('alert')).toContainText('kept for SSH')
  await dialog.getByLabel('What for').selectOption('ssh')
  await expect(hostPort).toHaveValue('8022')
  await dialog.getByRole('button', { name: 'Forward' }).click()
  await expect(dialog).toBeHidden()
  await expect(page.getByText('192.168.1.20:8022')).toBeVisible()
  await page.getByRole('button', { name: 'Remove the forward of 192.168.1.20:8022' }).click()
  await expect(page.getByText('192.168.1.20:8022')).toBeHidden()
})
