/**
 * A PostgreSQL server of one's own, from Debian's package: a cluster in a temporary folder, reached by a unix socket
 * only. Nothing it holds survives, so it never waits for the disk.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'

export interface PostgresServer {
  /** The address of a database of that name; it has to be made. */
  url(database: string): string
  /** Makes a database, empty or as a copy of another that nobody uses. */
  createDatabase(database: string, template?: string): Promise<string>
  stop(): Promise<void>
}

const installedIn = '/usr/lib/postgresql'

export async function startPostgres(): Promise<PostgresServer> {
  const programs = await newestVersion()
  // Short: a unix socket's path has 107 bytes at most.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-pg-'))
  const user = await serverUser()
  if (user) await chown(folder, user.uid, user.gid)
  const data = path.join(folder, 'data')
  // fsync off: what a power cut would lose is thrown away anyway.
  const initdb = start(user, `${programs}/initdb`, [
    ...['-D', data, '-U', 'hearth', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
  ])
  const made = await initdb.ended
  if (made !== 0) throw new Error(`initdb ended with ${made}:\n${initdb.said()}`)
  const settings = {
    listen_addresses: '',
    unix_socket_directories: folder,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    shared_buffers: '32MB',
    max_connections: '200',
    // A server in another zone must make no difference.
    timezone: 'Pacific/Auckland',
  }
  const server = start(user, `${programs}/postgres`, [
    ...['-D', data],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ])
  const url = (database: string) => `postgresql:///${database}?user=hearth&host=${encodeURIComponent(folder)}`
  const stop = async () => {
    // SIGQUIT: at once, without writing back.
    server.child.kill('SIGQUIT')
    await server.ended
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await untilAnswering(url('postgres'), server)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    stop,
    async createDatabase(database, template = 'template0') {
      await ask(url('postgres'), `CREATE DATABASE "${database}" TEMPLATE "${template}"`)
      return url(database)
    },
  }
}

async function newestVersion(): Promise<string> {
  const versions = await readdir(installedIn).catch(() => [])
  const newest = versions
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => b - a)[0]
  if (newest === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql')
  return path.join(installedIn, String(newest), 'bin')
}

/** The server refuses to run as root; Debian's package brings a user for it. */
async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((one) => one.startsWith('postgres:'))
  if (!line) throw new Error('There is no user postgres, which Debian’s package makes.')
  const [, , uid, gid] = line.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<number | NodeJS.Signals>
  said(): string
}

function start(user: { uid: number; gid: number } | undefined, program: string, args: string[]): Started {
  const child = spawn(program, args, { ...user, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      said = (said + text).slice(-20_000)
    })
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? code ?? 1))
  })
  return { child, ended, said: () => said }
}

async function untilAnswering(url: string, server: Started): Promise<void> {
  let end: number | NodeJS.Signals | undefined
  void server.ended.then((how) => {
    end = how
  })
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      return await ask(url, 'SELECT 1')
    } catch (error) {
      if (end !== undefined) throw new Error(`postgres ended with ${end}:\n${server.said()}`)
      if (Date.now() > deadline)
        throw new Error(`postgres does not answer:\n${server.said()}`, { cause: error })
    }
    await delay(50)
  }
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new Client(url)
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(sql)
  } finally {
    await client.end().catch(() => {})
  }
}
