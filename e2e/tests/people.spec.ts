import { expect, type Page, test } from '@playwright/test'
import { joinByInvitation, ProjectPage } from '../pages/project-page.ts'
import { VmCreatePage } from '../pages/vm-create-page.ts'
import { VmListPage } from '../pages/vm-list-page.ts'
import { VmPage } from '../pages/vm-page.ts'
import { administratorPage } from '../support/home.ts'

/** More than one person in the home: invited, limited, answered, given roles. The tests build on one another. */
test.describe.configure({ mode: 'serial' })

const MINUTE = 60_000
const ben = { name: 'Ben', email: 'ben@home.example', password: 'marshmallows and tea' }

let ada: Page
let his: Page
test.beforeAll(async ({ browser }) => {
  ada = await administratorPage(browser)
  his = await (await browser.newContext()).newPage()
})
test.afterAll(async () => {
  await ada.context().close()
  await his.context().close()
})

async function picture(page: Page, name: string): Promise<void> {
  const folder = `${test.info().project.outputDir}/screens`
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png`, fullPage: true })
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

test('an invitation leads somebody new to their first VM, once', async () => {
  const project = new ProjectPage(ada)
  await project.create('Kids')
  await project.setLimit('VMs', '1')
  const link = await project.invite('Ben', 'Member')
  await picture(ada, 'people-project')
  await his.goto(link)
  await expect(his.getByRole('heading', { name: 'Join Kids' })).toBeVisible()
  await picture(his, 'people-invitation')
  await joinByInvitation(his, link, ben)

  const create = new VmCreatePage(his)
  await create.open()
  await expect(create.image('Tiny Linux')).toBeEnabled({ timeout: 5 * MINUTE })
  await create.fill({ image: 'Tiny Linux', name: 'bens-first', custom: { cpus: 1, memoryGib: 1 } })
  await picture(his, 'people-create')
  await create.submit('bens-first', 2 * MINUTE)
  await new VmPage(his).expectState('Running', 3 * MINUTE)
  // What Ada sees of it is live.
  await expect(project.member('Ben').first()).toBeVisible()
  await expect(project.gauge('VMs')).toHaveAttribute('aria-valuetext', '1 of 1')

  await his.goto('/')
  await his.goto(link)
  await expect(his.getByRole('heading', { name: 'This invitation has been used' })).toBeVisible()
})

test('a refusal for want of quota says what is missing, is asked about in one click, answered, and then fits', async () => {
  const create = new VmCreatePage(his)
  await create.open()
  await create.fill({ image: 'Tiny Linux', name: 'bens-second', custom: { cpus: 1, memoryGib: 1 } })
  // The page says what is missing before anything is sent, and offers to ask.
  await expect(create.submitButton).toHaveAttribute('aria-disabled', 'true')
  const why = his.getByText('VMs: this needs 1, and 0 of your quota is left.').filter({ visible: true })
  await expect(why.first()).toBeVisible()
  await his.getByRole('button', { name: 'Ask for more' }).click()
  await expect(his.getByText('Asked. An administrator sees it and can raise it.').first()).toBeVisible()
  await picture(his, 'people-refused')

  await new ProjectPage(ada).open('Kids')
  const request = ada.getByRole('listitem').filter({ hasText: 'Ben asks for 2' })
  await expect(request).toBeVisible()
  await picture(ada, 'people-request')
  await request.getByRole('button', { name: 'Grant' }).click()
  await expect(request).toBeHidden()

  await create.submit('bens-second', 2 * MINUTE)
  const vm = new VmPage(his)
  await vm.expectState('Running', 3 * MINUTE)

  // What is off takes no vCPU; a start that no longer fits is refused where it was asked for.
  await vm.poweroff()
  await vm.expectState('Stopped', 2 * MINUTE)
  await new ProjectPage(ada).setLimit('vCPUs in use', '1')
  await vm.start()
  const refused = his.getByRole('dialog', { name: 'The quota is used up' })
  await expect(refused).toContainText('vCPUs in use: 0 left, 1 needed')
  await expect(refused.getByRole('button', { name: 'Ask for more' })).toBeVisible()
  await refused.getByRole('button', { name: 'Close' }).first().click()
  await expect(refused).toBeHidden()
})

test('who becomes a viewer sees the VMs and why they cannot be changed; who is removed sees nothing', async () => {
  const project = new ProjectPage(ada)
  await project.open('Kids')
  await project.setRole('Ben', 'Viewer')
  const vm = new VmPage(his)
  await expect(vm.button('Start')).toHaveAttribute('aria-disabled', 'true')
  await project.member('Ben').first().getByRole('button', { name: 'Remove Ben' }).click()
  await ada
    .getByRole('dialog', { name: /^Remove Ben/ })
    .getByRole('button', { name: 'Remove Ben' })
    .click()
  await new VmListPage(his).open()
  await expect(his.getByText('bens-first')).toHaveCount(0)
})

test('the administrator deletes what was left and the project', async () => {
  const list = new VmListPage(ada)
  for (const name of ['bens-first', 'bens-second']) {
    await list.open()
    await list.openVm(name)
    const vm = new VmPage(ada)
    if (name === 'bens-first') await vm.poweroff()
    await vm.expectState('Stopped', 2 * MINUTE)
    await vm.delete(name)
    await list.expectAbsent(name, MINUTE)
  }
  await ada.goto('/people')
  await picture(ada, 'people-people')
  await ada.goto('/home')
  await expect(ada.getByLabel('Memory for VMs')).toHaveValue('100')
  await picture(ada, 'people-home')
  await new ProjectPage(ada).open('Kids')
  await ada.getByRole('button', { name: 'Delete project' }).click()
  const dialog = ada.getByRole('dialog', { name: /^Delete the project/ })
  await dialog.getByLabel('Type Kids to confirm').fill('Kids')
  await dialog.getByRole('button', { name: 'Delete project' }).click()
  await expect(ada.getByRole('heading', { name: 'Projects', level: 1 })).toBeVisible()
  await expect(ada.getByRole('main').getByRole('link', { name: 'Kids', exact: true })).toHaveCount(0)
})
