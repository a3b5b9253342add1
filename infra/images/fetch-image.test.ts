import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { Transfer } from '@hearth/shared/image'
import { GIB, MIB } from '@hearth/shared/units'
import { createCleartextMessage, createMessage, generateKey, type PrivateKey, readKey, sign } from 'openpgp'
import { ensureRecipe } from '../recipes/build.ts'
import { BuildQueue } from '../recipes/build-queue.ts'
import { readManifest } from '../recipes/store.ts'
import { stateRooms } from '../start/state.ts'
import { ensureTls } from '../start/tls.ts'
import { type Distribution, distributionRecipe, distributions, keyFile } from './distributions.ts'
import { partOf } from './download-parts.ts'
import type { SignedList } from './fetch-image.ts'
import { ownImageRecipe } from './own-image.ts'
import type { SigningKey } from './signature.ts'
import { type FileServer, rawDisk, serveFiles, sha } from './testing.ts'

const disk = rawDisk()

function distribution(server: FileServer, change: Partial<Distribution> = {}): Distribution {
  return {
    ...{ imageUid: 'test-1', name: 'Test 1', version: '1', description: '', loginUser: 'test' },
    url: `${server.url}/disk.img`,
    checksum: { list: `${server.url}/SHA512SUMS`, algorithm: 'sha512' },
    ...{ minMemoryMib: 64, minDiskGib: 1, aboutMib: 3 },
    ...change,
  }
}

async function start(t: TestContext, tls?: Parameters<typeof serveFiles>[1]) {
  const images = await mkdtemp(path.join(os.tmpdir(), 'hearth-fetch-'))
  t.after(() => rm(images, { recursive: true }))
  const server = await serveFiles(t, tls)
  server.files.set('/disk.img', { data: disk })
  server.files.set('/SHA512SUMS', { data: Buffer.from(`${sha('sha512', disk)}  disk.img\n`) })
  const transfers: Transfer[] = []
  const fetch = (recipe: ReturnType<typeof distributionRecipe>, signal?: AbortSignal) =>
    ensureRecipe(recipe, {
      ...{ images, cacheDir: images },
      ...(signal ? { signal } : {}),
      onProgress: (_percent, _step, transfer) => void (transfer && transfers.push(transfer)),
    })
  const get = (change: Partial<Distribution> = {}, signal?: AbortSignal, list?: SignedList) =>
    fetch(
      distributionRecipe(distribution(server, change), { allowPrivate: true, ...(list ? { list } : {}) }),
      signal,
    )
  const imported = (more: object = {}, url = `${server.url}/disk.img`) =>
    fetch(
      ownImageRecipe({
        image: {
          ...{
            imageUid: 'mine',
            name: 'Mine',
            description: '',
            version: '',
            cloudInit: false,
            loginUser: null,
          },
          ...{ minMemoryBytes: 64 * MIB, minDiskBytes: 0 },
        },
        from: { type: 'address', url, checksum: null, allowPrivate: true, ...more },
      }),
    )
  return { images, server, transfers, get, imported }
}

/** All that a store may show: images, and hidden folders with nothing of images in them. */
async function visible(images: string): Promise<string[]> {
  return (await readdir(images)).filter((name) => !name.startsWith('.') || name.startsWith('.fetching'))
}

test('a download goes on where broken connections left it, is checked, and is an image with holes', async (t) => {
  const { images, server, transfers, get } = await start(t)
  server.files.set('/disk.img', { data: disk, breaks: [MIB, MIB] })
  assert.equal(await get(), true)
  const from = server.asked
    .filter((ask) => ask.path === '/disk.img')
    .map((ask) => Number(/^bytes=(\d+)-$/.exec(ask.range ?? 'bytes=0-')?.[1]))
  // What was on its way when a connection broke may be lost; what had arrived is not asked for again.
  assert.equal(from.length, 3)
  assert.ok(from[0] === 0 && from[1]! > 0 && from[2]! > from[1]!, from.join())
  const manifest = await readManifest(images, 'test-1')
  assert.equal(manifest?.sha256, sha('sha256', disk))
  assert.deepEqual(manifest?.disk, { file: 'disk.raw', bytes: 3 * MIB })
  assert.equal(manifest?.boot, 'firmware')
  assert.equal(manifest?.minDiskBytes, GIB)
  assert.ok((await readFile(path.join(images, 'test-1/disk.raw'))).equals(disk))
  assert.deepEqual(transfers.at(-1)?.bytes, disk.length)
  assert.equal(transfers.at(-1)?.totalBytes, disk.length)
  await assert.rejects(stat(partOf(images, 'test-1')), 'what was fetched is not kept twice')
  assert.equal(await get(), false, 'it is there already')
})

test('a wrong checksum never becomes an image, and nothing of the file is kept', async (t) => {
  const { images, server, get } = await start(t)
  server.files.set('/SHA512SUMS', { data: Buffer.from(`${'0'.repeat(128)}  disk.img\n`) })
  await assert.rejects(get(), /not the one that was expected/)
  assert.deepEqual(await visible(images), [])
  await assert.rejects(stat(partOf(images, 'test-1')))
  server.files.set('/SHA512SUMS', { data: Buffer.from(`${sha('sha512', disk)}  other.img\n`) })
  await assert.rejects(get(), /no checksum of disk.img/)
})

test('a download that is stopped is gone on with; a file that changed meanwhile is begun anew', async (t) => {
  const { images, server, get } = await start(t)
  const stop = new AbortController()
  server.files.set('/disk.img', { data: disk, breaks: [MIB] })
  const first = get({}, stop.signal)
  // The broken connection is waited out: the stop comes in between.
  const here = async () => (await stat(partOf(images, 'test-1')).catch(() => null))?.size ?? 0
  while ((await here()) === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  stop.abort(new Error('stopped'))
  await assert.rejects(first)
  const kept = await here()
  assert.deepEqual(await visible(images), [])
  server.files.set('/disk.img', { data: disk, etag: '"two"' })
  assert.equal(await get(), true)
  assert.equal(server.asked.at(-2)?.range, `bytes=${kept}-`, 'it asked for the rest')
  assert.ok(
    (await readFile(path.join(images, 'test-1/disk.raw'))).equals(disk),
    'and took the whole new file',
  )
})

test('an import takes the checksum that is given, and shows the one it found', async (t) => {
  const { images, imported } = await start(t)
  const wrong = { algorithm: 'sha256', hex: 'f'.repeat(64) }
  await assert.rejects(imported({ checksum: wrong }), /Look at address and checksum/)
  assert.deepEqual(await visible(images), [])
  assert.equal(await imported({ checksum: { algorithm: 'sha256', hex: sha('sha256', disk) } }), true)
  const manifest = await readManifest(images, 'mine')
  assert.equal(manifest?.sha256, sha('sha256', disk))
  assert.equal(manifest?.source, 'import')
})

test('the own network is reached only where that is allowed, a redirect included', async (t) => {
  const { images, server, imported } = await start(t)
  await assert.rejects(imported({ allowPrivate: false }), /own network/)
  assert.deepEqual(server.asked, [], 'nothing was asked')
  await assert.rejects(imported({}, `${server.url}/nothing.img`), /nothing at/)
  server.files.set('/page.img', { data: Buffer.from('<html>not here</html>') })
  await assert.rejects(imported({}, `${server.url}/page.img`), /web page/)
  assert.deepEqual(await visible(images), [])
  assert.deepEqual(await readdir(path.join(images, '.downloads')), [])
})

test('a download that is cancelled ends, and its queue goes on', async (t) => {
  const { images, server } = await start(t)
  const queue = new BuildQueue(async (recipe, options) => {
    await ensureRecipe(recipe, { images, cacheDir: images, ...options })
  })
  server.files.set('/disk.img', { data: disk, breaks: Array.from({ length: 50 }, () => 1000) })
  const recipe = distributionRecipe(distribution(server), { allowPrivate: true })
  const failed = new Promise((resolve) =>
    queue.follow(recipe, (event) => event.type === 'failed' && resolve(event.message)),
  )
  while (server.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  await queue.cancel('test-1')
  assert.equal(await failed, 'This was cancelled.')
  server.files.set('/disk.img', { data: disk })
  const done = new Promise((resolve) =>
    queue.follow(recipe, (event) => event.type === 'done' && resolve(true)),
  )
  assert.equal(await done, true)
})

test('the data file names each distribution once, with addresses and lists that fit together', () => {
  assert.equal(new Set(distributions.map(({ imageUid }) => imageUid)).size, distributions.length)
  for (const { url, checksum, imageUid } of distributions) {
    const host = (text: string) => new URL(text).host
    assert.equal(host(url), host(checksum.list), `${imageUid}: file and checksum come from one publisher`)
    assert.match(url, /\.(qcow2|img)$/, imageUid)
  }
})

test('a signed list is believed only with the signature of its publisher’s key', async (t) => {
  const { images, server, get } = await start(t)
  const own = await generateKey({ userIDs: [{ name: 'Publisher' }], format: 'object' })
  const other = await generateKey({ userIDs: [{ name: 'Publisher' }], format: 'object' })
  const list = `${sha('sha512', disk)}  disk.img\n`
  const signed = async (text: string, key: PrivateKey) =>
    String(
      await sign({
        message: await createMessage({ binary: Buffer.from(text) }),
        signingKeys: key,
        detached: true,
      }),
    )
  const clear = async (text: string, key: PrivateKey) =>
    String(await sign({ message: await createCleartextMessage({ text }), signingKeys: key }))
  const put = (path: string, text: string) => server.files.set(path, { data: Buffer.from(text) })
  const key: SigningKey = {
    armored: own.publicKey.armor(),
    fingerprint: own.publicKey.getFingerprint().toUpperCase(),
  }
  // The publisher's place in the data file is taken by a key of this test.
  const fetchSigned = (signature: { key: SigningKey; url?: string }) =>
    get({}, undefined, {
      list: `${server.url}/SHA512SUMS`,
      algorithm: 'sha512',
      signature,
    })
  const apart = { key, url: `${server.url}/SHA512SUMS.sign` }

  const wrong: [string, () => Promise<unknown>, typeof apart | { key: SigningKey }][] = [
    ['no signature at all', async () => server.files.delete('/SHA512SUMS.sign'), apart],
    ['no signature, but text', async () => put('/SHA512SUMS.sign', 'trust me'), apart],
    ['somebody else’s', async () => put('/SHA512SUMS.sign', await signed(list, other.privateKey)), apart],
    [
      'of another list',
      async () => put('/SHA512SUMS.sign', await signed(`${'0'.repeat(128)}  disk.img\n`, own.privateKey)),
      apart,
    ],
    [
      'a key that was exchanged',
      async () => put('/SHA512SUMS.sign', await signed(list, other.privateKey)),
      { ...apart, key: { ...key, armored: other.publicKey.armor() } },
    ],
    ['a list that is not clear-signed', async () => put('/SHA512SUMS', list), { key }],
    [
      'clear-signed by somebody else',
      async () => put('/SHA512SUMS', await clear(list, other.privateKey)),
      { key },
    ],
    [
      'a line added before what was signed',
      async () => put('/SHA512SUMS', `${list}${await clear('nothing', own.privateKey)}`),
      { key },
    ],
  ]
  for (const [what, prepare, signature] of wrong) {
    put('/SHA512SUMS', list)
    await prepare()
    await assert.rejects(fetchSigned(signature), /not signed by|cannot be read|is meant|no checksum of/, what)
    assert.deepEqual(await visible(images), [], what)
  }

  put('/SHA512SUMS', list)
  put('/SHA512SUMS.sign', await signed(list, own.privateKey))
  assert.equal(await fetchSigned(apart), true)
  await rm(path.join(images, 'test-1'), { recursive: true })
  put('/SHA512SUMS', await clear(list, own.privateKey))
  assert.equal(await fetchSigned({ key }), true)
})

test('a signed list and its file come whole by HTTPS, from a server that is trusted, and not past it', async (t) => {
  const secrets = await mkdtemp(path.join(os.tmpdir(), 'hearth-tls-'))
  t.after(() => rm(secrets, { recursive: true }))
  const tls = await ensureTls({ ...stateRooms(secrets), secrets }, 'mirror.home.arpa', '127.0.0.1')
  const { images, server, get } = await start(t, {
    key: await readFile(tls.key),
    cert: await readFile(tls.certificate),
  })
  const open = await serveFiles(t)
  open.files.set('/disk.img', { data: disk })
  const publisher = await generateKey({ userIDs: [{ name: 'Publisher' }], format: 'object' })
  const list = Buffer.from(`${sha('sha512', disk)}  disk.img\n`)
  const message = await createMessage({ binary: list })
  const signature = await sign({ message, signingKeys: publisher.privateKey, detached: true })
  server.files.set('/SHA512SUMS', { data: list })
  server.files.set('/SHA512SUMS.sign', { data: Buffer.from(String(signature)) })
  // As mirrors do: the file itself may come without encryption, because its checksum does not.
  server.files.set('/disk.img', { data: disk, movedTo: `${open.url}/disk.img` })
  const key: SigningKey = {
    armored: publisher.publicKey.armor(),
    fingerprint: publisher.publicKey.getFingerprint().toUpperCase(),
  }
  const signed: SignedList = {
    list: `${server.url}/SHA512SUMS`,
    algorithm: 'sha512',
    signature: { key, url: `${server.url}/SHA512SUMS.sign` },
  }
  await assert.rejects(
    get({ url: `${open.url}/disk.img` }, undefined, signed),
    /^BuildError: 127\.0\.0\.1:\d+ cannot be reached \(.*certificate.*\)\. What is here already is kept/,
  )
  assert.deepEqual(await visible(images), [])

  const trusted = getCACertificates('default')
  setDefaultCACertificates([...trusted, await readFile(tls.authority, 'utf8')])
  t.after(() => setDefaultCACertificates(trusted))
  server.files.set('/SHA512SUMS', { data: list, movedTo: `${open.url}/SHA512SUMS` })
  await assert.rejects(get({}, undefined, signed), /without encryption/)
  assert.deepEqual(await visible(images), [])
  server.files.set('/SHA512SUMS', { data: list })
  assert.equal(await get({}, undefined, signed), true)
  assert.ok((await readFile(path.join(images, 'test-1/disk.raw'))).equals(disk))
})

test('each kept key is the one that its distribution names, and can sign', async () => {
  const signed = distributions.flatMap(({ checksum }) => checksum.signature ?? [])
  assert.ok(signed.length >= 3)
  for (const { key, fingerprint } of signed) {
    const read = await readKey({ armoredKey: keyFile(key) })
    assert.equal(read.getFingerprint().toUpperCase(), fingerprint, key)
    await read.getSigningKey()
  }
})
