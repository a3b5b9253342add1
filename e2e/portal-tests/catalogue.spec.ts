import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { ImagesPage } from '../pages/images-page.ts'
import { SetupPage } from '../pages/setup-page.ts'
import { administrator } from '../support/administrator.ts'
import { type CatalogueStack, startCatalogueStack } from '../support/catalogue-stack.ts'

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
  context = await browser.newContext({ baseURL: stack.url })
  page = await context.newPage()
  const setup = new SetupPage(page)
  await setup.open(stack.setupUrl)
  await setup.complete(administrator)
  images = new ImagesPage(page)
})
test.afterAll(async () => {
  await context?.close()
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
