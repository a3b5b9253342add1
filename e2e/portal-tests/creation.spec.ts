import { expect } from '@playwright/test'
import { VmCreatePage } from '../pages/vm-create-page.ts'
import { VmListPage } from '../pages/vm-list-page.ts'
import { dialogOf } from '../support/dialog.ts'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

// What it makes has to fit the quota, whatever the tests of other files have made.
test.use({ homeOf: 'creations' })

test('a creation shows its steps, is left and come back to, and cancelled leaves nothing', async ({
  page,
  home,
}) => {
  await home.tell('step 300000')
  const create = new VmCreatePage(page)
  await create.open()
  await create.fill({ image: 'Debian 12', name: 'second-thoughts', password: 'teapot-on-the-stove' })
  await create.submit('second-thoughts', 15_000)
  const progress = page.getByRole('region', { name: 'Creating' })
  for (const step of ['Image', 'Disk', 'Cloud-init', 'Network', 'Start'])
    await expect(progress.getByRole('listitem').filter({ hasText: step })).toBeVisible()

  const list = new VmListPage(page)
  await list.open()
  await settled(page)
  await list.openVm('second-thoughts')
  await progress.getByRole('button', { name: 'Cancel creation' }).click()
  const dialog = dialogOf(page)
  await dialog.getByRole('button', { name: 'Go on creating' }).click()
  await expect(dialog).toHaveCount(0)
  await progress.getByRole('button', { name: 'Cancel creation' }).click()
  await dialog.getByRole('button', { name: 'Cancel creation' }).click()
  await expect(page).toHaveURL(/\/vms$/)
  await expect(page.getByRole('row').filter({ hasText: 'paperless' })).toBeVisible()
  await expect(page.getByRole('link', { name: 'second-thoughts' })).toHaveCount(0)
  await home.tell('step 700')
})

test('a page that hears of its new VM before its answer shows one VM in the quota, and no name taken', async ({
  page,
}) => {
  const name = 'heard-early'
  let create: unknown
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let heard = () => {}
  const inList = new Promise<void>((resolve) => {
    heard = resolve
  })
  await page.routeWebSocket(/\/trpc$/, (socket) => {
    const server = socket.connectToServer()
    socket.onMessage((message) => {
      const sent = String(message)
      if (sent.includes('"vm.create"')) create = /"id":(\d+)/.exec(sent)?.[1]
      server.send(message)
    })
    server.onMessage((message) => {
      const isAnswer = create !== undefined && String(message).startsWith(`{"id":${create},`)
      if (isAnswer) void held.then(() => socket.send(message))
      else socket.send(message)
      if (!isAnswer && String(message).includes(name)) heard()
    })
  })
  const form = new VmCreatePage(page)
  await form.open()
  await form.fill({ image: 'Tiny Linux', name })
  const quota = page.getByRole('complementary', { name: 'Summary' })
  const before = await quota.textContent()
  const button = page.getByRole('button', { name: 'Create VM', exact: true })
  await button.click()
  await inList
  await expect(button).toHaveAttribute('aria-busy', 'true')
  await expect(page.getByText('A VM of this name exists already.')).toHaveCount(0)
  expect(await quota.textContent()).toBe(before)
  release()
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible()
})

test('a new VM is shown from its head on, however far down the form was; going back keeps its place', async ({
  page,
}) => {
  await page.setViewportSize({ width: 1280, height: 560 })
  const create = new VmCreatePage(page)
  await create.open()
  await create.fill({ image: 'Tiny Linux', name: 'from-the-top' })
  // Where the button is beside the form it stays in sight: whoever filled the form in is at its end.
  await page.getByText('Labels and number').scrollIntoViewIfNeeded()
  expect(await page.evaluate(() => window.scrollY)).toBeGreaterThan(200)
  await create.submit('from-the-top', 15_000)
  await expect(page.getByRole('heading', { name: 'from-the-top', level: 1 })).toBeInViewport()
  expect(await page.evaluate(() => window.scrollY)).toBe(0)

  // A VM's tabs are one page: changing between them scrolls nothing.
  await page.evaluate(() => window.scrollTo(0, 100))
  await page.getByRole('link', { name: 'Settings', exact: true }).last().click()
  await expect(page).toHaveURL(/\/settings$/)
  expect(await page.evaluate(() => window.scrollY)).toBe(100)
  await page.getByRole('link', { name: 'Images' }).click()
  await expect(page.getByRole('heading', { name: 'Images', level: 1 })).toBeVisible()
  await page.goBack()
  await expect(page).toHaveURL(/\/settings$/)
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(100)
})

test('figures of one\u2019s own begin with those of the chosen size', async ({ page }) => {
  const create = new VmCreatePage(page)
  await create.open()
  await create.fill({
    image: 'Debian 12',
    size: 'Small',
    name: 'my-own-figures',
    password: 'teapot-on-the-stove',
  })
  await page.getByRole('radio', { name: 'Custom', exact: true }).check({ force: true })
  await expect(page.getByRole('textbox', { name: 'vCPUs', exact: true })).toHaveValue('1')
  await expect(page.getByRole('textbox', { name: 'Memory', exact: true })).toHaveValue('1')
})
