import { expect } from '@playwright/test'
import { dialogOf } from '../support/dialog.ts'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

/** What loses something asks first and says what follows; what can be put back is done, and offers that. */

test('a token is revoked, and an invitation taken back, only once it was said what follows', async ({
  page,
}) => {
  await page.goto('/settings/tokens')
  await settled(page)
  const token = page.getByRole('listitem').filter({ hasText: 'Backup script' })
  await token.getByRole('button', { name: /^Revoke/ }).click()
  await expect(dialogOf(page)).toContainText('Whatever uses it stops working at once.')
  await dialogOf(page).getByRole('button', { name: 'Cancel' }).click()
  await expect(token).toBeVisible()

  await page.goto('/people?add=person')
  await dialogOf(page).getByLabel('Whom is it for?').fill('Cousin Kim')
  await dialogOf(page).getByRole('button', { name: 'Make invitation' }).click()
  const link = (await dialogOf(page)
    .getByText(/\/invitation#/)
    .textContent())!.trim()
  await dialogOf(page).getByRole('button', { name: 'Done' }).click()
  await page.goto('/projects/1')
  await settled(page)
  const invitation = page.getByRole('listitem').filter({ hasText: 'Cousin Kim' })
  await invitation.getByRole('button', { name: 'Take back the invitation of Cousin Kim' }).click()
  await expect(dialogOf(page)).toContainText('Its link stops working at once.')
  await dialogOf(page).getByRole('button', { name: 'Cancel' }).click()
  await expect(invitation).toContainText('Not used yet')
  await invitation.getByRole('button', { name: 'Take back the invitation of Cousin Kim' }).click()
  await dialogOf(page).getByRole('button', { name: 'Take back' }).click()
  await expect(invitation).toContainText('Taken back')
  await page.goto(link)
  await expect(page.getByText('This invitation was taken back')).toBeVisible()
})

test('a disk that is detached is attached again with one click', async ({ page, home }) => {
  await page.goto(`/vms/${home.vms['mail-archive']}/disks`)
  await settled(page)
  const disk = page.getByRole('main').getByRole('listitem').filter({ hasText: 'backups' })
  await disk.getByRole('button', { name: 'Attach' }).click()
  const more = disk.getByRole('button', { name: 'More for the disk backups' })
  await expect(disk.getByRole('button', { name: 'Grow' })).toBeVisible()
  await more.click()
  await page.getByRole('menuitem', { name: 'Detach', exact: true }).click()
  await expect(page.getByText('backups is detached from mail-archive')).toBeVisible()
  await expect(disk.getByRole('button', { name: 'Attach' })).toBeVisible()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(disk.getByRole('button', { name: 'Grow' })).toBeVisible()
  await expect(page.getByText('That did not work')).toHaveCount(0)
})
