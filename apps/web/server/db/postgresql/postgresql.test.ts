/** What only PostgreSQL can show, on a real one: its migrations, one writer at a time, text compared as SQLite does. */
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { Client } from 'pg'
import { type PostgresServer, startPostgres } from '../../testing/postgres-server.ts'
import { type Database, openDatabase } from '../client.ts'
import { generateClients } from '../generate.ts'
import { migrate } from '../migrate.ts'
import { migrationsFolder } from '../paths.ts'
import { sqlToSchema } from '../schema-diff.ts'
import { migratePostgres } from './migrate.ts'

let server: PostgresServer
let url: string
let db: Database

before(async () => {
  await generateClients()
  server = await startPostgres()
  url = await server.createDatabase('home')
  await migrate({ kind: 'postgresql', url })
  db = await openDatabase({ kind: 'postgresql', url })
})
after(async () => {
  await db?.$disconnect()
  await server?.stop()
})

async function ask(database: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(database)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('its migrations lead exactly to the schema; a second time does nothing', async () => {
  assert.equal(
    await sqlToSchema({ kind: 'postgresql', url }),
    '',
    'prisma/postgresql/migrations lack a change: node apps/web/server/db/new-migration.ts NAME',
  )
  assert.deepEqual(await migrate({ kind: 'postgresql', url }), [])
})

test('two that start at once make the tables once', async () => {
  const fresh = await server.createDatabase('twice')
  const applied = await Promise.all([1, 2].map(() => migrate({ kind: 'postgresql', url: fresh })))
  assert.deepEqual(applied.map((names) => names.length > 0).sort(), [false, true])
})

test('a migration that fails leaves nothing; one of a newer Hearth is refused', async (t) => {
  const fresh = await server.createDatabase('later')
  await migrate({ kind: 'postgresql', url: fresh })
  const folder = await laterMigration(t, 'CREATE TABLE half (id INTEGER); INSERT INTO nothing VALUES (1);')
  await assert.rejects(migratePostgres(fresh, 'the database', folder), {
    userMessage: /could not be brought.*29990101000000_later/,
  })
  assert.deepEqual(await ask(fresh, "SELECT to_regclass('half') AS found"), [{ found: null }])

  const good = await laterMigration(t, 'CREATE TABLE more (id INTEGER PRIMARY KEY);')
  assert.deepEqual(await migratePostgres(fresh, 'the database', good), ['29990101000000_later'])
  await assert.rejects(migrate({ kind: 'postgresql', url: fresh }), { code: 'unsupported_version' })
})

async function laterMigration(t: TestContext, sql: string): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-migrations-'))
  t.after(() => rm(folder, { recursive: true }))
  await cp(migrationsFolder.postgresql, folder, { recursive: true })
  await mkdir(path.join(folder, '29990101000000_later'))
  await writeFile(path.join(folder, '29990101000000_later', 'migration.sql'), sql)
  return folder
}

test('tables of another program are left alone', async () => {
  const foreign = await server.createDatabase('shop')
  await ask(foreign, 'CREATE TABLE orders (id INTEGER)')
  await assert.rejects(migrate({ kind: 'postgresql', url: foreign }), {
    code: 'conflict',
    userMessage: /orders/,
  })
  assert.equal((await ask(foreign, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'")).length, 1)
})

test('what is wrong with the address is said in a sentence', async () => {
  const folder = new URL(url).searchParams.get('host')
  for (const [address, expected] of [
    [server.url('nowhere'), /the database nowhere.*has no such database/],
    [`postgresql:///home?user=nobody&host=${folder}`, /does not let that user in/],
    ['postgresql:///home?user=hearth&host=/nonexistent', /no such socket/],
    ['postgresql://hearth@127.0.0.1:1/home', /127\.0\.0\.1 does not answer/],
  ] as const) {
    await assert.rejects(migrate({ kind: 'postgresql', url: address }), { userMessage: expected })
  }
})

test('transactions follow one another: what one has read stays true until it has written', async () => {
  const { id } = await db.project.create({ data: { name: 'count 0' } })
  const raise = () =>
    db.$transaction(async (tx) => {
      const { name } = await tx.project.findUniqueOrThrow({ where: { id } })
      // Others get every chance to come in between; reading beside a transaction does not wait for it.
      await db.project.count()
      await tx.project.update({ where: { id }, data: { name: `count ${Number(name.split(' ')[1]) + 1}` } })
    })
  const other = await openDatabase({ kind: 'postgresql', url })
  const raiseElsewhere = () =>
    other.$transaction(async (tx) => {
      const { name } = await tx.project.findUniqueOrThrow({ where: { id } })
      await tx.project.update({ where: { id }, data: { name: `count ${Number(name.split(' ')[1]) + 1}` } })
    })
  await Promise.all(Array.from({ length: 30 }, (_, turn) => (turn % 3 === 0 ? raiseElsewhere() : raise())))
  await other.$disconnect()
  assert.equal((await db.project.findUniqueOrThrow({ where: { id } })).name, 'count 30')
})

test('a transaction that fails, and a refused row, leave nothing and stop nobody', async () => {
  await assert.rejects(
    db.$transaction(async (tx) => {
      await tx.project.create({ data: { name: 'never' } })
      throw new Error('thought better of it')
    }),
    /thought better/,
  )
  await db.project.create({ data: { name: 'taken' } })
  await assert.rejects(db.project.create({ data: { name: 'taken' } }), { code: 'P2002' })
  assert.equal(await db.project.count({ where: { name: { in: ['never', 'taken'] } } }), 1)
})

test('times come back as they went in, whatever zone the server lives in; words are found in any case', async () => {
  const at = new Date('2026-03-29T01:30:00.123Z')
  await db.activity.create({
    data: { at, kind: 'test', summary: 'Made a Thing (100 %)', actorKind: 'system', actorName: 'Test' },
  })
  const [found] = await db.activity.findMany({ where: { summary: { contains: 'a thing' } } })
  assert.equal(found?.at.getTime(), at.getTime())
  assert.equal(await db.activity.count({ where: { at: { gt: new Date(at.getTime() - 1), lte: at } } }), 1)
  assert.equal((await ask(url, 'SELECT at::text FROM activity'))[0]?.at, '2026-03-29 01:30:00.123')
})
