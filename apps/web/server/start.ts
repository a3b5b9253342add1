/** Starts a whole portal: state, server and pages; failures come out as one sentence that says what to do. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HearthError } from '@hearth/shared/errors'
import type { AgentEndpoint } from './agents/agent-client.ts'
import { answerPacked } from './http/packed-files.ts'
import { type Pages, type PortalServer, startServer } from './http/server.ts'
import { errorText, type Log, stderrLog } from './log.ts'
import { openPortal, type Portal } from './portal.ts'

export interface StartOptions {
  port: number
  listen: string
  state: string
  /** DATABASE_URL, see db/database-url.ts. */
  databaseUrl?: string | undefined
  hostname: string | null
  tls: { certificate: Buffer; key: Buffer; authority: Buffer | null } | null
  agent: AgentEndpoint
  pages: 'production' | 'development' | 'none'
  log?: Log
}

export interface StartedPortal {
  url: string
  setupUrl: string | null
  portal: Portal
  stop(): Promise<void>
}

export async function startPortal(options: StartOptions): Promise<StartedPortal> {
  const log = options.log ?? stderrLog
  const scheme = options.tls ? 'https' : 'http'
  const name = options.hostname ?? urlHost(options.listen)
  let portal: Portal | undefined
  let server: PortalServer | undefined
  try {
    const version = await readVersion()
    portal = await openPortal({
      state: options.state,
      databaseUrl: options.databaseUrl,
      agent: options.agent,
      names: { tls: options.tls !== null, hostname: options.hostname },
      version,
      log,
    })
    const loaded =
      options.pages === 'none'
        ? undefined
        : await loadPages({ ...options, development: options.pages === 'development' })
    server = await startServer({
      portal,
      listen: options.listen,
      port: options.port,
      ...(options.tls ? { tls: options.tls } : {}),
      ...(loaded ? { pages: loaded.pages } : {}),
    })
    const opened = portal
    const serving = server
    const url = `${scheme}://${name}:${server.port}`
    const token = await portal.newSetupToken()
    return {
      url,
      // After the #: it stays in the browser and out of every log.
      setupUrl: token === null ? null : `${url}/setup#token=${token}`,
      portal,
      async stop() {
        await serving.close()
        await loaded?.close()
        await opened.close()
      },
    }
  } catch (error) {
    log.error('the portal could not start', { error: errorText(error) })
    await server?.close()
    await portal?.close()
    throw new Error(sentence(error, options), { cause: error })
  }
}

function urlHost(listen: string): string {
  if (listen === '0.0.0.0' || listen === '::') return 'localhost'
  return listen.includes(':') ? `[${listen}]` : listen
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

async function loadPages(options: {
  port: number
  listen: string
  development: boolean
}): Promise<{ pages: Pages; close(): Promise<void> }> {
  // Loaded here and not above: without pages (tests, tools) nothing of Next is read.
  const { default: next } = await import('next')
  const dir = fileURLToPath(new URL('..', import.meta.url))
  const app = next({
    dev: options.development,
    dir,
    hostname: options.listen,
    port: options.port,
    // Next would listen for upgrades on the server its first request came by, and end those whose address is a page of
    // its own, as each is since there is one for unknown addresses (`[...nowhere]`). It gets what is its by `upgrade` below.
    httpServer: createServer(),
  })
  await app.prepare()
  const handle = app.getRequestHandler()
  const upgrade = app.getUpgradeHandler()
  return {
    pages: {
      development: options.development,
      async request(request, response) {
        if (options.development || !(await answerPacked(join(dir, '.next'), request, response)))
          await handle(request, response)
      },
      upgrade: (request, socket, head) => upgrade(request, socket, head),
    },
    close: () => app.close(),
  }
}

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html. */
const SQLITE = { READONLY: 8, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 } as const

function sentence(error: unknown, { state, listen, port }: StartOptions): string {
  if (error instanceof HearthError) return error.userMessage
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${listen} is taken by another program. Stop it, or choose another port with --port.`
    case 'EADDRNOTAVAIL':
      return `This machine has no address ${listen}. Choose another one with --listen.`
    case 'EACCES':
    case 'EPERM': {
      const portDenied = (error as { syscall?: string }).syscall === 'listen'
      return portDenied
        ? `Port ${port} may not be used by this user: below 1024 that needs root. Choose another one with --port.`
        : `The state folder ${state} cannot be written by this user. Make it theirs, or choose another with --state.`
    }
    case 'ENOSPC':
      return `The disk with the state folder ${state} is full. Free some space and start Hearth again.`
    case 'EROFS':
      return `The state folder ${state} is on a read-only file system. Choose another one with --state.`
  }
  if (typeof errcode === 'number') {
    switch (errcode & 0xff) {
      case SQLITE.FULL:
        return `The disk with the state folder ${state} is full. Free some space and start Hearth again.`
      case SQLITE.READONLY:
      case SQLITE.CANTOPEN:
        return `The database in ${state}/portal cannot be opened for writing by this user. Make the folder theirs.`
      case SQLITE.CORRUPT:
      case SQLITE.NOTADB:
        return `The database ${state}/portal/hearth.db is damaged. Keep that file, and put a copy back in its place.`
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (/production build|BUILD_ID/i.test(message))
    return 'The pages are not built yet. Start Hearth with npm start, which builds them.'
  return `The portal could not start: ${message.split('\n')[0]}`
}
