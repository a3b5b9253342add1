import { expect } from '@playwright/test'
import { dialogOf } from '../support/dialog.ts'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

test('a VM is backed up by hand, left out of the plan, and its backup made into another', async ({
  page,
  home,
}) => {
  await home.tell('step 5')
  await page.goto('/backups')
  await settled(page)
  await expect(page.getByText('900 GiB of')).toBeVisible()
  const backups = page.getByRole('region', { name: 'All backups' }).getByRole('listitem')
  const before = await backups.count()
  await page.getByRole('button', { name: 'Back up now: quiet-kettle' }).click()
  await expect(backups).toHaveCount(before + 1)
  const newest = backups.first()
  await expect(newest).toContainText('quiet-kettle')
  await expect(newest).not.toContainText('Being made')

  const vm = page.getByRole('listitem').filter({ has: page.getByRole('switch', { name: /quiet-kettle/ }) })
  await expect(vm).toContainText('Backed up')
  await vm.getByRole('switch').click()
  await expect(vm).toContainText('Left out')

  await newest.getByRole('button', { name: 'More for the backup' }).click()
  await page.getByRole('menuitem', { name: 'New VM from it' }).click()
  const dialog = dialogOf(page)
  await expect(dialog.getByLabel('Name')).toHaveValue('quiet-kettle-2')
  await dialog.getByRole('button', { name: 'Create VM' }).click()
  await expect(page).toHaveURL(/\/vms\/\d+$/)
  await expect(page.getByRole('heading', { name: 'quiet-kettle-2' })).toBeVisible()
})

test('where backups go is chosen by an administrator, who is told what is wrong with it', async ({
  page,
  home,
}) => {
  await home.tell('step 5')
  await page.goto('/backups')
  await settled(page)
  const folder = page.getByLabel('Folder on the host')
  const save = page.getByRole('button', { name: 'Save' }).first()
  await folder.fill('backup')
  await save.click()
  await expect(page.getByText('Give the whole path of a folder')).toBeVisible()
  await folder.fill('/mnt/other')
  await save.click()
  await expect(page.getByText('Backups go there now')).toBeVisible()
  await page.getByLabel('Back up all VMs').selectOption('week')
  await page.getByRole('button', { name: 'Save' }).last().click()
  await expect(page.getByText('VMs are backed up by themselves now')).toBeVisible()
})
