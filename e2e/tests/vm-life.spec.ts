import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { ConsolePage } from '../pages/console-page.ts'
import { ImagesPage } from '../pages/images-page.ts'
import { SetupPage } from '../pages/setup-page.ts'
import { VmListPage } from '../pages/vm-list-page.ts'
import { VmPage } from '../pages/vm-page.ts'
import { administrator } from '../support/administrator.ts'
import { dialogOf } from '../support/dialog.ts'
import { serveTinyDisk } from '../support/tiny-disk.ts'

/**
 * A VM's life after its creation, on the real stack, with the tiny Linux as a disk from elsewhere: what its page offers reaches the guest.
 * The tests build on one another.
 */
test.describe.configure({ mode: 'serial', timeout: 20 * 60_000 })

const MINUTE = 60_000
let context: BrowserContext
let page: Page

test.beforeAll(async ({ browser }) => {
  context = await browser.newContext()
  page = await context.newPage()
  const { email, password } = administrator
  await page.goto('/sign-in')
  const origin = new URL(page.url()).origin
  const signIn = () =>
    context.request.post('/api/auth/sign-in/email', { data: { email, password }, headers: { origin } })
  if ((await signIn()).ok()) return
  // Run alone, the home is still to be set up.
  const setup = new SetupPage(page)
  await setup.open(process.env.HEARTH_SETUP_URL ?? '')
  await setup.complete(administrator)
})
test.afterAll(() => context.close())

async function picture(name: string): Promise<void> {
  await page.screenshot({ path: `${test.info().project.outputDir}/screens/${name}.png` })
}

/** Behind all that the disk starts from. */
const write = 'dd of=/dev/vda bs=1M seek=900 2>/dev/null'
const read = 'dd if=/dev/vda bs=1M skip=900 count=1 2>/dev/null | head -c 11'

const main = () => page.getByRole('main')

test('an image is imported from a server of the home: fetched, checked, converted', async () => {
  const images = new ImagesPage(page)
  await images.open()
  await images.expectState('Tiny Linux', 'Ready', 5 * MINUTE)
  const file = await serveTinyDisk()
  try {
    const { url, checksum } = file
    await images.startImport({ name: 'Tiny disk', url, checksum, ownNetwork: true })
    await images.expectState('Tiny disk', 'Ready', 5 * MINUTE)
  } finally {
    await file.stop()
  }
})

test('a token creates a VM from it; it starts by BIOS and GRUB, and its guest writes to its disk', async () => {
  await page.goto('/settings/tokens')
  await page.getByRole('button', { name: 'Create token' }).first().click()
  const dialog = dialogOf(page)
  await dialog.getByLabel('Name of the token').fill('vm-life')
  await dialog.getByRole('button', { name: 'Create token' }).click()
  const secret = await dialog.getByText(/^hearth_\S+$/).textContent()
  const headers = { authorization: `Bearer ${secret}` }
  const known = await (await context.request.get('/api/v1/images', { headers })).json()
  const image = (known as { images: { id: number; description: string }[] }).images.find(
    ({ description }) => description === 'Tiny disk',
  )
  const answer = await context.request.post('/api/v1/servers', {
    headers,
    data: { name: 'cellar', server_type: 'custom-1c-512m-1g', image: String(image?.id) },
  })
  expect(answer.status(), await answer.text()).toBe(201)
  await new VmListPage(page).open()
  await new VmListPage(page).openVm('cellar')
  const vm = new VmPage(page)
  await vm.expectState('Running', 5 * MINUTE)
  await vm.openTab('Console')
  const terminal = new ConsolePage(page, 'cellar')
  await terminal.expectState('Connected', MINUTE)
  await terminal.expectText(/#\s*$/m, 8 * MINUTE)
  await terminal.enter(`echo first-words | ${write}; sync; ${read}; echo " size=$(cat /sys/block/vda/size)"`)
  await terminal.expectText('first-words size=2097152', MINUTE)
})

test('while it runs, a snapshot is taken and figures are measured', async () => {
  const vm = new VmPage(page)
  await vm.openTab('Snapshots')
  await main().getByLabel('Name', { exact: true }).fill('with first words')
  await main().getByRole('button', { name: 'Take', exact: true }).click()
  await expect(main().getByText('taken while running')).toBeVisible({ timeout: MINUTE })
  await picture('20-snapshots')
  await vm.openTab('Console')
  const terminal = new ConsolePage(page, 'cellar')
  // What is typed before it is connected goes nowhere.
  await terminal.expectState('Connected', MINUTE)
  await terminal.enter(`echo other-words | ${write}; sync; ${read}; echo " after=$((3 * 5))"`)
  await terminal.expectText('other-words after=15', MINUTE)
  await vm.openTab('Metrics')
  // Two samples after its start there are rates; the guest has written, so that there is more than nothing.
  const disk = main().getByRole('slider', { name: /^Disk\. / })
  await expect(disk).toHaveAttribute('aria-valuetext', /Written/, { timeout: 2 * MINUTE })
  const cpu = main().getByRole('slider', { name: /^CPU\. / })
  await expect(cpu).toHaveAttribute('aria-valuetext', /CPU \d/, { timeout: MINUTE })
  await picture('21-metrics')
})

test('off, it goes back to the snapshot, gets more memory, another disk and a folder of the box; the guest finds all four', async () => {
  const vm = new VmPage(page)
  await vm.openTab('Snapshots')
  // What cannot be done now says why.
  await expect(main().getByRole('button', { name: 'Go back' })).toHaveAttribute('aria-disabled', 'true')
  await vm.poweroff()
  await vm.expectState('Stopped', 2 * MINUTE)
  await main().getByRole('button', { name: 'Go back' }).click()
  await dialogOf(page).getByRole('button', { name: 'Go back' }).click()
  await vm.openTab('Settings')
  const resize = main().getByRole('button', { name: 'Resize' })
  // An emulated host has one CPU, so it is the memory that grows.
  await main().getByLabel('Memory', { exact: true }).fill('768M')
  await expect(resize).not.toHaveAttribute('aria-disabled', 'true', { timeout: MINUTE })
  await picture('22-settings')
  await resize.click()
  // Given as of its next start.
  const folder = main().getByLabel('Folder music')
  await expect(folder).toBeEnabled({ timeout: MINUTE })
  await folder.selectOption('read')
  await expect(page.getByText('Its folders are saved')).toBeVisible()
  await vm.openTab('Overview')
  await expect(main().getByText('1 vCPU · 768 MiB memory')).toBeVisible()
  await vm.openTab('Disks')
  await main().getByRole('button', { name: 'New disk' }).click()
  const dialog = dialogOf(page)
  await expect(dialog.getByLabel('Name', { exact: true })).toHaveValue('cellar-data')
  await dialog.getByLabel('Size').fill('1')
  await dialog.getByRole('button', { name: 'Make and attach' }).click()
  await expect(main().getByText('/dev/disk/by-id/virtio-volume-1')).toBeVisible({ timeout: MINUTE })
  await picture('23-disks')
  await expect(vm.button('Start')).not.toHaveAttribute('aria-disabled', 'true', { timeout: MINUTE })
  await vm.start()
  await vm.openTab('Console')
  const terminal = new ConsolePage(page, 'cellar')
  await terminal.expectState('Connected', 5 * MINUTE)
  await terminal.expectText(/#\s*$/m, 8 * MINUTE)
  await terminal.enter(`${read}; echo " $(cat /sys/block/vdb/serial) $(cat /sys/block/vdb/size)"`)
  await terminal.expectText('first-words volume-1 2097152', MINUTE)
  await terminal.enter('echo more=$(awk "/MemTotal/ {print (\\$2 > 600000)}" /proc/meminfo)')
  await terminal.expectText('more=1', MINUTE)
  await terminal.enter(
    'mount -t virtiofs music /mnt; echo "$(cat /mnt/song) refused=$(touch /mnt/x; echo $?)"',
  )
  await terminal.expectText('la la la refused=1', MINUTE)
})

test('protected it is not deleted, then it is, and its snapshot with it', async () => {
  const vm = new VmPage(page)
  await vm.openTab('Settings')
  const guard = main().getByRole('switch', { name: 'Protect from deletion' })
  await guard.click()
  await expect(
    main()
      .getByText(/protected from deletion/)
      .first(),
  ).toBeVisible()
  await guard.click()
  await expect(
    main()
      .getByText(/protected from deletion/)
      .first(),
  ).toBeHidden()
  await vm.delete('cellar')
  await new VmListPage(page).expectAbsent('cellar', MINUTE)
})
