/** A whole portal on a free port, without pages unless asked for, with a fake agent, and people who use it over real sockets. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createTRPCClient, createWSClient, TRPCClientError, wsLink } from '@trpc/client'
import WebSocket from 'ws'
import type { ProjectRole } from '../auth/privilege.ts'
import { quietLog } from '../log.ts'
import { type StartedPortal, type StartOptions, startPortal } from '../start.ts'
import type { AppRouter } from '../trpc/router.ts'
import { agentToken, FakeAgent } from './fake-agent.ts'
import { newTestDatabase } from './test-database.ts'

export const admin = { name: 'Ada', email: 'ada@example.org', password: 'correct horse battery' }

/** Waits for a condition, with a generous limit. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  limitMs = 15_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${what}`)
    await delay(10)
  }
}

/** The code of our own that a failed call carries. */
export function codeOf(error: unknown): string {
  const data: unknown = error instanceof TRPCClientError ? error.data : undefined
  const hearth = (data as { hearth?: { code?: string } } | undefined)?.hearth
  return hearth?.code ?? String(error)
}

export async function codeFrom(call: Promise<unknown>): Promise<string> {
  return call.then(() => 'no error', codeOf)
}

export interface Person {
  readonly cookie: string
  readonly trpc: ReturnType<typeof createTRPCClient<AppRouter>>
  readonly socket: ReturnType<typeof createWSClient>
  close(): void
}

export class TestPortal {
  readonly agent = new FakeAgent()
  readonly state: string
  /** A real agent, which the test starts itself, in the fake one's place. */
  readonly #realAgent: { url: string; token: string } | undefined
  started!: StartedPortal
  readonly #people: Person[] = []
  readonly #pages: StartOptions['pages']
  #databaseUrl: string | undefined

  private constructor(
    state: string,
    pages: StartOptions['pages'],
    realAgent?: { url: string; token: string },
  ) {
    this.state = state
    this.#pages = pages
    this.#realAgent = realAgent
  }

  static async start(
    options: {
      agentAway?: boolean
      pages?: StartOptions['pages']
      prepare?: (agent: FakeAgent) => void
    } = {},
  ): Promise<TestPortal> {
    const state = await mkdtemp(path.join(os.tmpdir(), 'hearth-portal-'))
    const test = new TestPortal(state, options.pages ?? 'none')
    options.prepare?.(test.agent)
    await test.agent.start()
    await test.startPortal()
    if (options.agentAway) await test.agent.stop()
    else await test.untilOnline()
    return test
  }

  static async startWithAgent(agent: { url: string; token: string }): Promise<TestPortal> {
    const test = new TestPortal(await mkdtemp(path.join(os.tmpdir(), 'hearth-portal-')), 'none', agent)
    await test.startPortal()
    return test
  }

  async startPortal(port = 0): Promise<void> {
    this.#databaseUrl ??= await newTestDatabase()
    this.started = await startPortal({
      port,
      listen: '127.0.0.1',
      state: this.state,
      databaseUrl: this.#databaseUrl,
      hostname: null,
      tls: null,
      agent: this.#realAgent ?? { url: this.agent.url, token: agentToken },
      pages: this.#pages,
      log: quietLog,
    })
  }

  /** Stops the portal and starts it again on the same port with the same state. */
  async restartPortal(): Promise<void> {
    const port = Number(new URL(this.url).port)
    await this.started.stop()
    await this.startPortal(port)
  }

  get url(): string {
    return this.started.url
  }

  get db() {
    return this.started.portal.db
  }

  get setupToken(): string {
    return new URL(this.started.setupUrl ?? 'http://none').hash.replace('#token=', '')
  }

  async untilOnline(): Promise<void> {
    await until('the host to be online', async () =>
      (await this.db.host.findMany()).some(({ id }) => this.started.portal.agents.isOnline(id)),
    )
  }

  async untilAway(): Promise<void> {
    await until('the host to be away', async () =>
      (await this.db.host.findMany()).every(({ id }) => !this.started.portal.agents.isOnline(id)),
    )
  }

  /** Completes set-up and signs the administrator in. */
  async setUp(): Promise<Person> {
    const nobody = this.connect()
    await nobody.trpc.setup.complete.mutate({ token: this.setupToken, homeName: 'Our home', ...admin })
    nobody.close()
    return this.signIn()
  }

  /** Somebody beside the administrator, with roles in projects, signed in. The password is the administrator's. */
  async addPerson(name: string, roles: Record<number, ProjectRole>): Promise<Person> {
    const id = randomUUID()
    const email = `${name.toLowerCase()}@example.org`
    const password = await this.started.portal.auth.hashPassword(admin.password)
    await this.db.user.create({
      data: {
        id,
        name,
        email,
        emailVerified: true,
        accounts: { create: { id: randomUUID(), accountId: id, providerId: 'credential', password } },
        memberships: {
          create: Object.entries(roles).map(([projectId, role]) => ({ projectId: Number(projectId), role })),
        },
      },
    })
    return this.signIn({ email, password: admin.password })
  }

  async signIn(who: { email: string; password: string } = admin): Promise<Person> {
    const response = await this.post('/api/auth/sign-in/email', who)
    if (response.status !== 200) throw new Error(`sign-in: ${response.status} ${await response.text()}`)
    const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
    return this.connect(cookies.join('; '))
  }

  post(where: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}${where}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.url, ...headers },
      body: JSON.stringify(body),
    })
  }

  connect(cookie = ''): Person {
    const headers = { origin: this.url, ...(cookie ? { cookie } : {}) }
    class CookieSocket extends WebSocket {
      constructor(address: string | URL) {
        super(address, { headers })
        this.on('error', () => {})
      }
    }
    const socket = createWSClient({
      url: `${this.url.replace('http', 'ws')}/trpc`,
      WebSocket: CookieSocket as unknown as typeof globalThis.WebSocket,
      retryDelayMs: () => 50,
    })
    const trpc = createTRPCClient<AppRouter>({
      links: [wsLink<AppRouter>({ client: socket })],
    })
    const person: Person = { cookie, trpc, socket, close: () => void socket.close() }
    this.#people.push(person)
    return person
  }

  /** A request to the API with a token. */
  api(
    token: string | null,
    method: string,
    where: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) {
    return fetch(`${this.url}/api/v1${where}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  }

  async stop(): Promise<void> {
    for (const person of this.#people) person.close()
    await this.started.stop()
    await this.agent.stop()
    await rm(this.state, { recursive: true, force: true })
  }
}

let counter = 0

/** What the create form sends, for the image without a disk. */
export function tinyVm(name: string) {
  return {
    name,
    imageUid: 'tiny-linux',
    cpus: 1,
    memoryBytes: 128 * 1024 * 1024,
    sshKeys: [],
    startAtBoot: false,
    start: true,
    idempotencyKey: newKey(),
  }
}

export function newKey(): string {
  return `test-key-${process.pid}-${++counter}`
}

/** Lets the fake agent finish the creation, the VM running. */
export async function createRunning(test: TestPortal, person: Person, name: string) {
  const { vm, action } = await person.trpc.vm.create.mutate(tinyVm(name))
  test.agent.setVm(vm.vmUid, { state: 'running', addresses: ['10.87.0.9'] })
  test.agent.finish(action.id)
  return until('the VM to run', async () => {
    const now = await person.trpc.vm.get.query({ id: vm.id })
    return now.state === 'running' && now.action === null ? now : null
  })
}
