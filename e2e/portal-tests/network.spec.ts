import { expect } from '@playwright/test'
import { VmCreatePage } from '../pages/vm-create-page.ts'
import { VmPage } from '../pages/vm-page.ts'
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

test('the firewall lets in what is chosen; ports that make no sense are said beside their field', async ({
  page,
  home,
}) => {
  await home.tell('step 5')
  await page.goto(`/vms/${home.vms.paperless}/network`)
  await settled(page)
  const save = page.getByRole('button', { name: 'Save', exact: true })
  await expect(save).toHaveAttribute('aria-disabled', 'true')
  await page
    .getByRole('radiogroup', { name: 'Which ports of the VM' })
    .getByLabel('Only some')
    .check({ force: true })
  const ports = page.getByRole('textbox', { name: 'Ports' })
  await ports.fill('22, 8000-')
  await expect(page.getByRole('alert').filter({ hasText: 'Write ports like' })).toBeVisible()
  await expect(save).toHaveAttribute('aria-disabled', 'true')
  await ports.fill('22, 8000-8010, 53/udp')
  await page
    .getByRole('radiogroup', { name: 'Who may connect' })
    .getByLabel('The home')
    .check({ force: true })
  await save.click()
  await expect(page.getByText('The firewall is changed')).toBeVisible()
  await page.reload()
  await expect(ports).toHaveValue('22/tcp, 8000-8010/tcp, 53/udp')
  await page.getByRole('link', { name: 'Activity', exact: true }).last().click()
  await expect(
    page.getByText('lets in connections from the home network to the ports 22/tcp, 8000-8010/tcp, 53/udp'),
  ).toBeVisible()
})

test('a bridge that the administrator opens can be chosen for a new VM, which is then a member of it', async ({
  page,
  home,
}) => {
  await home.tell('step 5')
  await page.goto('/home')
  const open = page.getByRole('switch', { name: 'Open br0 to VMs' })
  await open.click()
  await expect(open).toBeChecked()
  const create = new VmCreatePage(page)
  await create.open()
  await create.fill({ image: 'Debian 12', name: 'lamp', password: 'teapot-on-the-stove' })
  await create.unfold('Network')
  await page.getByRole('combobox', { name: 'Network' }).selectOption('br0')
  await expect(page.getByText('It gets its address from your router')).toBeVisible()
  await create.submit('lamp', 15_000)
  await new VmPage(page).expectState('Running', 15_000)
  await new VmPage(page).openTab('Network')
  await expect(page.getByText('This VM is a member of the network br0')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Forward a port' })).toHaveCount(0)
})

test('limits are kept, a speed that makes no sense is said beside its field, and the guest’s memory has its line', async ({
  page,
  home,
}) => {
  await home.tell('step 5')
  await page.goto(`/vms/${home.vms.paperless}/settings`)
  await settled(page)
  const disk = page.getByRole('group', { name: 'Each disk' })
  const form = page.locator('form').filter({ has: disk })
  await disk.getByLabel('Speed').fill('fast')
  await expect(disk.getByRole('alert')).toContainText('Give a speed from')
  await disk.getByLabel('Speed').fill('50')
  await disk.getByLabel('Burst').selectOption('10')
  await form.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('The limits are saved')).toBeVisible()
  await page.reload()
  await expect(disk.getByLabel('Speed')).toHaveValue('50')
  await expect(disk.getByLabel('Burst')).toHaveValue('10')
  await new VmPage(page).openTab('Metrics')
  await expect(page.getByRole('slider', { name: /^Memory\. / })).toHaveAttribute(
    'aria-valuetext',
    /Used by the guest/,
  )
})

test('folders of the box and a watchdog are given to a VM on its settings page', async ({ page, home }) => {
  await home.tell('step 5')
  await page.goto(`/vms/${home.vms.paperless}/settings`)
  await settled(page)
  const music = page.getByLabel('Folder music')
  await expect(music.getByRole('option')).toHaveText(['Not shared', 'To read'])
  await music.selectOption('read')
  await expect(page.getByText('Its folders are saved')).toBeVisible()
  await expect(music).toBeEnabled()
  await page.getByLabel('When it hangs').selectOption('reset')
  await page.getByRole('link', { name: 'Activity', exact: true }).last().click()
  await expect(page.getByText('is reset when its guest hangs, from its next start on')).toBeVisible()
  await expect(page.getByText('may read the folder music from its next start on')).toBeVisible()
})
