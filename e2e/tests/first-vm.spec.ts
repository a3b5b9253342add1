import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { ConsolePage } from '../pages/console-page.ts'
import { SetupPage } from '../pages/setup-page.ts'
import { SignInPage } from '../pages/sign-in-page.ts'
import { VmCreatePage } from '../pages/vm-create-page.ts'
import { VmListPage } from '../pages/vm-list-page.ts'
import { VmPage } from '../pages/vm-page.ts'
import { administrator } from '../support/administrator.ts'
import { restartPortal } from '../support/portal-process.ts'

/**
 * A person's first hour, on the real stack: portal, agent, monitor and unmodified Debian guests. The tests build
 * on one another, as the hour does.
 */
test.describe.configure({ mode: 'serial' })

const MINUTE = 60_000

let context: BrowserContext
let page: Page
test.beforeAll(async ({ browser }) => {
  context = await browser.newContext()
  page = await context.newPage()
})
test.afterAll(() => context.close())

async function picture(name: string): Promise<void> {
  await page.screenshot({ path: `${test.info().project.outputDir}/screens/${name}.png` })
}

test('the set-up link makes the first administrator, once', async () => {
  const link = process.env.HEARTH_SETUP_URL
  expect(link, 'HEARTH_SETUP_URL: the link that npm start printed').toBeTruthy()
  const setup = new SetupPage(page)
  await setup.open(link!)
  await picture('01-setup')
  await setup.complete(administrator)
  await picture('02-empty-home')

  await page.goto('/')
  await page.goto(link!)
  await expect(page.getByText(/already|been used|expired|not valid/i).first()).toBeVisible()
})

test('after signing out one signs in to the home’s first page', async () => {
  await new VmListPage(page).open()
  const signIn = new SignInPage(page)
  await signIn.signOut()
  await signIn.signIn(administrator.email, 'not the password')
  await expect(page.getByRole('alert').filter({ hasText: /\S/ }).first()).toBeVisible()
  await signIn.signIn(administrator.email, administrator.password)
  await expect(page.getByRole('heading', { name: administrator.homeName, level: 1 })).toBeVisible()
})

test('a tiny Linux runs at once, and its console answers', async () => {
  const list = new VmListPage(page)
  await list.open()
  await list.create()
  const create = new VmCreatePage(page)
  await expect(create.image('Tiny Linux')).toBeEnabled({ timeout: 5 * MINUTE })
  await create.fill({ image: 'Tiny Linux', name: 'kettle', custom: { cpus: 1, memoryGib: 1 } })
  await picture('03-create')
  await create.submit('kettle', 2 * MINUTE)
  const vm = new VmPage(page)
  await vm.expectState('Running', 3 * MINUTE)
  await vm.openTab('Console')
  const terminal = new ConsolePage(page, 'kettle')
  await terminal.expectState('Connected', MINUTE)
  await terminal.expectText(/#\s*$/m, 3 * MINUTE)
  await terminal.enter('echo cpus=$(nproc) sum=$((40 + 2))')
  await terminal.expectText('cpus=1 sum=42', MINUTE)
  await picture('04-tiny-console')
})

test('two viewers see the same console, and the second sees what came before it', async () => {
  const terminal = new ConsolePage(page, 'kettle')
  const href = await terminal.ownTabHref()
  const second = await context.newPage()
  await second.goto(href)
  const other = new ConsolePage(second, 'kettle')
  await other.expectState('Connected', MINUTE)
  await other.expectText('cpus=1 sum=42', MINUTE)
  await other.enter('echo from-the-second-tab')
  await terminal.expectText('from-the-second-tab', MINUTE)
  await second.close()
})

test('the portal restarts, the VM goes on, and the console comes back by itself', async () => {
  const terminal = new ConsolePage(page, 'kettle')
  await restartPortal()
  await terminal.expectState('Connected', 2 * MINUTE)
  await terminal.enter('echo still-here=$((6 * 7))')
  await terminal.expectText('still-here=42', MINUTE)
})

test('a name that is taken is refused beside the field, and nothing is left behind', async () => {
  const create = new VmCreatePage(page)
  await create.open()
  await create.fill({ image: 'Tiny Linux', name: 'kettle', size: 'Small' })
  await create.submitButton.click()
  await expect(page.getByText(/taken|already|in use/i).first()).toBeVisible()
  await new VmListPage(page).open()
  await expect(page.getByRole('link', { name: 'kettle', exact: true }).filter({ visible: true })).toHaveCount(
    1,
  )
})

test('the VM resets, is switched off and deleted', async () => {
  const list = new VmListPage(page)
  await list.open()
  await list.openVm('kettle')
  const vm = new VmPage(page)
  await vm.reset()
  await vm.openTab('Console')
  const terminal = new ConsolePage(page, 'kettle')
  await terminal.expectState('Connected', 2 * MINUTE)
  await vm.expectState('Running', 2 * MINUTE)
  await vm.poweroff()
  await vm.expectState('Stopped', 2 * MINUTE)
  await vm.delete('kettle')
  await list.expectAbsent('kettle', MINUTE)
})

test('Debian 12: built, created, boots to its login, is signed in to, shuts down, is deleted', async () => {
  test.setTimeout(30 * MINUTE)
  const create = new VmCreatePage(page)
  await create.open()
  await create.fill({
    image: 'Debian 12',
    name: 'first-debian',
    size: 'Small',
    user: 'ada',
    password: 'teapot-on-the-stove',
  })
  await create.submit('first-debian', 2 * MINUTE)
  // Its image is built meanwhile; the creation is left, and come back to.
  const list = new VmListPage(page)
  await list.open()
  await list.openVm('first-debian')
  const vm = new VmPage(page)
  await vm.expectState('Running', 20 * MINUTE)
  await picture('05-debian-running')
  await vm.openTab('Console')
  const terminal = new ConsolePage(page, 'first-debian')
  await terminal.expectText('first-debian login:', 8 * MINUTE)
  await picture('06-debian-login')
  await signInToGuest(terminal)
  await terminal.enter('uname -a')
  await terminal.expectText(/-cloud-amd64 .*GNU\/Linux/, MINUTE)
  await picture('07-debian-console')

  await vm.openTab('Overview')
  await expect(vm.sshLine()).toBeVisible({ timeout: 2 * MINUTE })
  await picture('08-debian-overview')
  await vm.shutdown()
  await vm.expectState('Stopped', 3 * MINUTE)
  await expect(page.getByText('Shutting this VM down failed')).toHaveCount(0)
  await vm.openTab('Activity')
  await picture('09-activity')
  await vm.delete('first-debian')
  await new VmListPage(page).expectAbsent('first-debian', 2 * MINUTE)
})

/** cloud-init may set the password a moment after the login prompt is there: a refused login is tried again. */
async function signInToGuest(terminal: ConsolePage): Promise<void> {
  await expect(async () => {
    await terminal.enter('')
    await terminal.expectText(/login: *$/m, 20_000)
    await terminal.enter('ada')
    await terminal.expectText(/Password: *$/m, 20_000)
    await terminal.enter('teapot-on-the-stove')
    await terminal.expectText(/ada@first-debian:~\$/, 30_000)
  }).toPass({ timeout: 5 * MINUTE })
}
