/** A home moves from SQLite to a real PostgreSQL, and what would lose something of it is refused. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { Client } from 'pg'
import { runCommand } from '../cli.ts'
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts'
import { admin, createRunning, TestPortal } from '../testing/test-portal.ts'
import { openDatabase } from './client.ts'
import { generateClients } from './generate.ts'
import { migrate } from './migrate.ts'
import { holdDatabase } from './single-instance.ts'

let server: PostgresServer

before(async () => {
  // These tests need both databases, whichever the other tests use.
  delete process.env.HEARTH_TEST_POSTGRES
  await generateClients()
  server = await startPostgres()
})
after(() => server?.stop())

test('everything of a home arrives, ids go on where they were, and the file stays as it was', async (t) => {
  const portal = await TestPortal.start()
  t.after(() => portal.stop())
  const ada = await portal.setUp()
  const gone = await createRunning(portal, ada, 'gone')
  await createRunning(portal, ada, 'stays')
  await ada.trpc.sshKey.list.query()
  await portal.db.metric.createMany({
    data: Array.from({ length: 1200 }, (_, row) => ({
      ...{ resourceType: 'vm', resourceId: gone.id, resolution: 10, at: new Date(1_780_000_000_123 + row) },
      ...{ cpu: row / 7, memoryBytes: 1e9 + row, temperature: row % 3 === 0 ? null : 41.5 },
    })),
  })
  await portal.db.label.create({ data: { resourceType: 'vm', resourceId: 1, key: 'ä "quoted"', value: '' } })
  // An id that was given once is not given again, though nothing bears it any more.
  const last = await portal.db.label.create({
    data: { resourceType: 'vm', resourceId: 2, key: 'k', value: 'v' },
  })
  await portal.db.label.delete({ where: { id: last.id } })

  const url = await server.createDatabase('moved')
  const move = (to: string) => runCommand(['move-database', to], portal.state)
  await assert.rejects(move(url), /Another Hearth uses .*hearth\.db\. Stop that one first/)
  const { stop } = portal.started
  await stop()
  await assert.rejects(move('mysql://x/y'), /no driver for/)
  await assert.rejects(move('sqlite'), /Name a PostgreSQL database/)
  const file = path.join(portal.state, 'portal/hearth.db')
  const before = await openDatabase({ kind: 'sqlite', file })
  const rows = {
    metrics: await before.metric.findMany({ orderBy: { id: 'asc' } }),
    users: await before.user.findMany(),
    vms: await before.vm.findMany({ orderBy: { id: 'asc' } }),
    activity: await before.activity.findMany({ orderBy: { id: 'asc' } }),
    labels: await before.label.findMany(),
  }
  await before.$disconnect()
  const bytes = await readFile(file)
  assert.match(await move(url), /1200 in metric[\s\S]*DATABASE_URL=sqlite/)
  assert.deepEqual(await readFile(file), bytes)
  assert.equal((await readFile(path.join(portal.state, 'secrets/database-url'), 'utf8')).trim(), url)

  const db = await openDatabase({ kind: 'postgresql', url })
  t.after(() => db.$disconnect())
  assert.deepEqual(await db.metric.findMany({ orderBy: { id: 'asc' } }), rows.metrics)
  assert.deepEqual(await db.user.findMany(), rows.users)
  assert.deepEqual(await db.vm.findMany({ orderBy: { id: 'asc' } }), rows.vms)
  assert.deepEqual(await db.activity.findMany({ orderBy: { id: 'asc' } }), rows.activity)
  assert.deepEqual(await db.label.findMany(), rows.labels)
  const next = await db.label.create({ data: { resourceType: 'vm', resourceId: 2, key: 'k', value: 'v' } })
  assert.equal(next.id, last.id + 1)
  assert.match(await runCommand(['people'], portal.state), new RegExp(admin.email))
  await assert.rejects(move(await server.createDatabase('again')), /is in PostgreSQL already/)
})

test('a database that has a home is refused, and one that breaks half-way has nothing', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-move-'))
  t.after(() => rm(folder, { recursive: true }))
  const { moveDatabase } = await import('./move-database.ts')
  const from = { kind: 'sqlite', file: path.join(folder, 'home.db') } as const
  await migrate(from)
  const old = await openDatabase(from)
  await old.project.create({ data: { name: 'Home' } })
  await old.location.create({ data: { name: 'here', description: '' } })
  await old.$disconnect()
  const to = { kind: 'postgresql', url: await server.createDatabase('taken') } as const
  await migrate(to)
  const client = new Client(to.url)
  await client.connect()
  t.after(() => client.end())
  // A rule of the server's own that swallows rows: as a fault anywhere on the way would.
  await client.query('CREATE RULE lost AS ON INSERT TO project DO INSTEAD NOTHING')
  await assert.rejects(moveDatabase(from, to), /The rows of project did not arrive/)
  assert.equal((await client.query('SELECT 1 FROM location')).rowCount, 0)
  await client.query('DROP RULE lost ON project')
  await client.query("INSERT INTO project (name) VALUES ('Another')")
  await assert.rejects(moveDatabase(from, to), /There is a home already in the database taken/)
  assert.equal((await client.query('SELECT 1 FROM project')).rowCount, 1)
})

test('one portal a database: a second is refused until the first has ended', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-hold-'))
  t.after(() => rm(folder, { recursive: true }))
  const url = await server.createDatabase('held')
  for (const choice of [
    { kind: 'sqlite', file: path.join(folder, 'hearth.db') },
    { kind: 'postgresql', url },
  ] as const) {
    const first = await holdDatabase(choice)
    await assert.rejects(holdDatabase(choice, { waitMs: 0 }), /Another Hearth uses/)
    const second = holdDatabase(choice, { waitMs: 60_000 })
    await first.release()
    await (await second).release()
  }
})

test('a portal whose server was restarted takes its database again; if another was faster, it ends', async (t) => {
  const url = await server.createDatabase('restarted')
  const choice = { kind: 'postgresql', url } as const
  const lost = Promise.withResolvers<void>()
  const held = await holdDatabase(choice, { onLost: lost.resolve })
  t.after(() => held.release())
  const client = new Client(server.url('postgres'))
  await client.connect()
  t.after(() => client.end())
  // Who has the lock, and not who asks for it at this moment.
  const cut = () =>
    client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND datname = 'restarted'",
    )
  // It asks again and again, the first one only some seconds after it was cut off.
  const waiting = holdDatabase(choice, { waitMs: 60_000 })
  await cut()
  const other = await waiting
  await lost.promise
  await other.release()
})
