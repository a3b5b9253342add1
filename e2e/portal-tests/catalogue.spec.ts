import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { ImagesPage } from '../pages/images-page.ts'
import { SetupPage } from '../pages/setup-page.ts'
import { administrator } from '../support/administrator.ts'
import { type CatalogueStack, startCatalogueStack } from '../support/catalogue-stack.ts'
import { breakableConnection, type Connection } from '../support/connection.ts'
import { dialogOf } from '../support/dialog.ts'

/** Images from outside, on the real portal, agent and builder. The tests build on one another. */
test.describe.configure({ mode: 'serial' })

const MIB = 1024 * 1024
/** A disk that could be one: a boot signature, and noise that no shortcut makes smaller. */
const disk = randomBytes(6 * MIB)
disk.writeUInt16LE(0xaa55, 510)
const sha256 = createHash('sha256').update(disk).digest('hex')

let stack: CatalogueStack
let files: Server
/** Requests for the file, by the byte they begin at. */
const asked: number[] = []
let connection: Connection
let context: BrowserContext
let page: Page
let images: ImagesPage

test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000)
  files = createServer((request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    asked.push(from)
    const body = disk.subarray(from)
    response.writeHead(from > 0 ? 206 : 200, {
      etag: '"disk"',
      'content-length': body.length,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${disk.length - 1}/${disk.length}` } : {}),
    })
    // The first two connections break in the middle of the file.
    if (asked.length <= 2) response.write(body.subarray(0, 2 * MIB), () => response.socket?.destroy())
    else response.end(body)
  })
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
  stack = await startCatalogueStack()
  connection = await breakableConnection(stack.url)
  context = await browser.newContext({ baseURL: connection.url })
  page = await context.newPage()
  const setup = new SetupPage(page)
  await setup.open(stack.setupUrl.replace(stack.url, connection.url))
  await setup.complete(administrator)
  images = new ImagesPage(page)
})
test.afterAll(async () => {
  await context?.close()
  connection?.close()
  await stack?.stop()
  files?.close()
})

const address = () => `http://127.0.0.1:${(files.address() as AddressInfo).port}/disk.img`

test('the catalogue shows distributions that will be downloaded', async () => {
  await images.open()
  await images.expectState('Debian 13', 'Not here yet')
  await expect(images.card('Debian 13').getByText(/Will be downloaded: about/)).toBeVisible()
  await page.getByLabel('Search images').fill('alpine')
  await expect(images.card('Debian 13')).toBeHidden()
  await expect(images.card('Alpine 3.24')).toBeVisible()
  await page.getByLabel('Search images').fill('')
})

test('an address of the own network is refused until an administrator allows it', async () => {
  await images.startImport({ name: 'Refused', loginUser: 'debian', url: address() })
  await images.expectState('Refused', 'Failed')
  await expect(images.card('Refused').getByText(/address of your own network/)).toBeVisible()
  expect(asked, 'nothing was asked').toEqual([])
})

test('an import goes on after broken connections, is checked, and can be used', async () => {
  await images.startImport({
    ...{ name: 'Our disk', loginUser: 'debian', url: address(), checksum: sha256, ownNetwork: true },
  })
  await images.expectState('Our disk', 'Ready')
  expect(asked.length).toBe(3)
  expect(asked[1]! > 0 && asked[2]! > asked[1]!, `it went on: ${asked.join()}`).toBe(true)
  await expect(images.card('Our disk').getByRole('link', { name: 'Create VM' })).toBeVisible()
  await page.getByRole('link', { name: 'Our disk', exact: true }).click()
  await expect(page.getByText(sha256)).toBeVisible()
  await expect(page.getByText('Imported from an address')).toBeVisible()
})

test('a wrong checksum never becomes an image, and says so on the card', async () => {
  await images.open()
  await images.startImport({
    ...{ name: 'Not ours', loginUser: 'debian', url: address(), checksum: 'f'.repeat(64) },
  })
  await images.expectState('Not ours', 'Failed')
  await expect(images.card('Not ours').getByText(/not the one that was expected/)).toBeVisible()
  expect(await readdir(stack.images)).not.toContain('not-ours')
  expect(await readdir(path.join(stack.images, '.downloads'))).toEqual([])
})

/** `npm run bench -- upload` asks for more. */
const uploadMib = Number(process.env.HEARTH_UPLOAD_MIB ?? 200)

test(`an upload of ${uploadMib} MiB survives a broken connection, and no server holds it in memory`, async () => {
  test.setTimeout(60_000 + uploadMib * 1000)
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-upload-'))
  const file = path.join(folder, 'big.img')
  const handle = await open(file, 'w')
  // A hole at its end: zeros are told, not sent.
  const bytesMib = Math.floor((uploadMib - 8) / 6) * 6
  for (let at = 0; at < bytesMib; at += 6) await handle.write(disk, 0, disk.length, at * MIB)
  await handle.truncate(uploadMib * MIB)
  await handle.close()
  await images.open()
  const before = await stack.memory()
  await stack.forgetPeaks()
  const began = performance.now()
  const broken = connection.breakAfter((uploadMib / 3) * MIB)
  await images.startUpload({ name: 'Big disk', loginUser: 'debian', file })
  await broken
  await expect(images.card('Big disk').getByText(/going on by itself/)).toBeVisible()
  connection.mend()
  await images.expectState('Big disk', 'Ready', uploadMib * 1000)
  const peaks = await stack.peaks()
  const figures = {
    seconds: Math.round((performance.now() - began) / 1000),
    portalMib: Math.round((peaks.portal - before.portal) / MIB),
    agentMib: Math.round((peaks.agent - before.agent) / MIB),
  }
  test.info().annotations.push({ type: 'upload', description: JSON.stringify(figures) })
  // What pipes hold, and garbage until it is collected: the same for any size.
  expect(figures.portalMib).toBeLessThan(100)
  expect(figures.agentMib).toBeLessThan(100)
  const made = await stat(path.join(stack.images, 'big-disk', 'disk.raw'))
  expect(made.size).toBe(uploadMib * MIB)
  expect(made.blocks * 512).toBeLessThan((bytesMib + 4) * MIB)
  await rm(folder, { recursive: true })
})

test('a protected image is not deleted; unprotected, its name has to be typed', async () => {
  await images.open()
  await page.getByRole('link', { name: 'Big disk', exact: true }).click()
  const remove = page.getByRole('button', { name: 'Delete image' })
  const guard = page.getByRole('switch', { name: 'Protect from deletion' })
  await guard.click()
  await expect(remove).toHaveAttribute('aria-disabled', 'true')
  await guard.click()
  await expect(remove).not.toHaveAttribute('aria-disabled', 'true')
  await remove.click()
  const dialog = dialogOf(page)
  const sure = dialog.getByRole('button', { name: 'Delete image' })
  await dialog.getByLabel(/Type Big disk/).fill('Big dish')
  await expect(sure).toHaveAttribute('aria-disabled', 'true')
  await dialog.getByLabel(/Type Big disk/).fill('Big disk')
  await sure.click()
  await expect(page.getByRole('heading', { name: 'Images', level: 1 })).toBeVisible()
  await expect(images.card('Our disk')).toBeVisible()
  await expect(images.card('Big disk')).toBeHidden()
  expect(await readdir(stack.images)).not.toContain('big-disk')
})
