import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type Database, openDatabase } from '../client.ts'
import { generateClients } from '../generate.ts'
import { migrateSqlite } from './migrate.ts'

let folder: string
let file: string
let db: Database

before(async () => {
  await generateClients()
  folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-db-'))
  file = path.join(folder, 'hearth.db')
  await migrateSqlite(file)
  db = await openDatabase({ kind: 'sqlite', file })
})
after(async () => {
  await db.$disconnect()
  await rm(folder, { recursive: true })
})

async function newHost(name: string) {
  const location = await db.location.upsert({
    where: { name: 'home' },
    create: { name: 'home', description: 'At home' },
    update: {},
  })
  return db.host.create({ data: { name, locationId: location.id, lastSeenAt: new Date(1_700_000_000_123) } })
}

test('values come back as they went in', async () => {
  const host = await newHost('values')
  assert.equal(host.lastSeenAt?.getTime(), 1_700_000_000_123)
  const image = await db.image.create({
    data: {
      uid: 'debian-12',
      name: 'Debian 12 “bookworm” – ünïcode',
      description: '',
      cloudInit: true,
      minMemoryBytes: 2n ** 60n,
      minDiskBytes: 0n,
    },
  })
  const read = await db.image.findUniqueOrThrow({ where: { id: image.id } })
  assert.deepEqual(read, image)
  assert.equal(read.minMemoryBytes, 2n ** 60n)
  assert.equal(read.cloudInit, true)
  assert.equal(read.loginUser, null)
  const found = await db.image.findMany({
    where: { createdAt: { lte: new Date() }, minDiskBytes: { lt: 1n } },
  })
  assert.deepEqual(
    found.map(({ id }) => id),
    [image.id],
  )
  assert.equal(await db.image.count({ where: { createdAt: { gt: new Date(Date.now() + 60_000) } } }), 0)
})

test('ids are not used again after their row is gone', async () => {
  const first = await db.location.create({ data: { name: 'shed', description: '' } })
  await db.location.delete({ where: { id: first.id } })
  const second = await db.location.create({ data: { name: 'shed', description: '' } })
  assert.ok(second.id > first.id)
})

test('a broken constraint is reported with its columns', async () => {
  await newHost('twice')
  await assert.rejects(
    newHost('twice'),
    (error: { code?: string; meta?: unknown }) =>
      error.code === 'P2002' && JSON.stringify(error.meta).includes('name'),
  )
  await assert.rejects(db.host.create({ data: { name: 'nowhere', locationId: 999_999 } }), { code: 'P2003' })
})

test('a transaction that fails leaves nothing, and the next one works', async () => {
  await assert.rejects(
    db.$transaction(async (tx) => {
      await tx.location.create({ data: { name: 'attic', description: '' } })
      throw new Error('changed my mind')
    }),
    /changed my mind/,
  )
  assert.equal(await db.location.findUnique({ where: { name: 'attic' } }), null)
  await db.$transaction(async (tx) => {
    await tx.location.create({ data: { name: 'attic', description: '' } })
  })
  assert.ok(await db.location.findUnique({ where: { name: 'attic' } }))
})

test('a query beside an open transaction neither waits for it nor sees its unfinished work', async () => {
  await db.$transaction(async (tx) => {
    await tx.location.create({ data: { name: 'cellar', description: '' } })
    assert.equal(await db.location.findUnique({ where: { name: 'cellar' } }), null)
    assert.ok(await tx.location.findUnique({ where: { name: 'cellar' } }))
  })
  assert.ok(await db.location.findUnique({ where: { name: 'cellar' } }))
})

test('transactions that read and then write do not lose each other’s updates', async () => {
  const { id } = await newHost('counter')
  await db.host.update({ where: { id }, data: { info: '0' } })
  await Promise.all(
    Array.from({ length: 20 }, () =>
      db.$transaction(async (tx) => {
        const { info } = await tx.host.findUniqueOrThrow({ where: { id } })
        await tx.host.update({ where: { id }, data: { info: String(Number(info) + 1) } })
      }),
    ),
  )
  assert.equal((await db.host.findUniqueOrThrow({ where: { id } })).info, '20')
})

test('another process that holds the write lock for longer than Prisma waits by itself delays writes, breaks nothing and stops no reader', async () => {
  const holder = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { DatabaseSync } from 'node:sqlite'
       const database = new DatabaseSync(process.argv[1])
       database.exec('BEGIN IMMEDIATE')
       process.stdout.write('held')
       setTimeout(() => database.exec('COMMIT'), 6_000)`,
      file,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = once(holder, 'exit')
  await once(holder.stdout, 'data')
  let ticks = 0
  const ticking = setInterval(() => ticks++, 100)
  const writes = Promise.all([
    db.location.create({ data: { name: 'late-1', description: '' } }),
    db.$transaction(async (tx) => {
      await tx.location.create({ data: { name: 'late-2', description: '' } })
    }),
  ])
  assert.equal(await db.location.count({ where: { name: { startsWith: 'late' } } }), 0)
  assert.equal(holder.exitCode, null)
  await writes
  clearInterval(ticking)
  // The event loop went on meanwhile: consoles and sockets were served.
  assert.ok(ticks > 15, `${ticks} ticks`)
  assert.deepEqual(await ended, [0, null])
  assert.equal(await db.location.count({ where: { name: { startsWith: 'late' } } }), 2)
  await db.location.create({ data: { name: 'afterwards', description: '' } })
})
