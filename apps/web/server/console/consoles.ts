/** The open consoles: each made by a ticket, each closed when its right to be open ends. */
import type { WebSocket } from 'ws'
import type { Agents } from '../agents/agents.ts'
import { errorText, type Log } from '../log.ts'
import type { Changes } from '../services/changes.ts'
import { type ConsoleGrant, type ConsoleKind, consumeTicket, mayStay } from '../services/consoles.ts'
import type { ServiceContext } from '../services/context.ts'
import { portalConsoleClose } from '../views/console.ts'
import { ConsolePipe, notify } from './console-pipe.ts'

/** A right that ended is noticed within this, also when another process ended it. */
const checkMs = 2_000

export class Consoles {
  readonly #context: ServiceContext
  readonly #agents: Agents
  readonly #log: Log
  readonly #open = new Map<ConsolePipe, ConsoleGrant>()
  readonly #timer: NodeJS.Timeout
  readonly #stops: (() => void)[]

  constructor(options: { context: ServiceContext; agents: Agents; changes: Changes; log: Log }) {
    this.#context = options.context
    this.#agents = options.agents
    this.#log = options.log
    const check = () => void this.#check().catch((error) => this.#log.error(errorText(error)))
    this.#timer = setInterval(check, checkMs)
    this.#timer.unref()
    this.#stops = [options.changes.on('sessions', check), options.changes.on('people', check)]
  }

  get count(): number {
    return this.#open.size
  }

  /** Takes over a viewer's socket. `ticket` is what it came with. */
  async attach(
    viewer: WebSocket,
    { vmId, kind, ticket }: { vmId: number; kind: ConsoleKind; ticket: string },
  ): Promise<void> {
    // Nothing is lost while the ticket is looked up.
    viewer.pause()
    viewer.on('error', () => viewer.terminate())
    const grant = await consumeTicket(this.#context, { ticket, vmId, kind })
    viewer.resume()
    if (viewer.readyState !== viewer.OPEN) return
    if (!grant) {
      notify(viewer, { notice: 'ended', message: 'This console link was used already or is too old.' })
      viewer.close(portalConsoleClose.unauthorized, 'ticket not valid')
      return
    }
    const host = this.#agents.openConsole(grant.hostId, grant.vmUid, hostPath(grant))
    if (!host) {
      notify(viewer, { notice: 'ended', message: 'The host is away. The VM may go on without it.' })
      viewer.close(portalConsoleClose.hostAway, 'host away')
      return
    }
    const pipe = new ConsolePipe(viewer, host)
    this.#open.set(pipe, grant)
    viewer.once('close', () => this.#open.delete(pipe))
    pipe.start()
  }

  async #check(): Promise<void> {
    for (const [pipe, grant] of this.#open) {
      if (await mayStay(this.#context, grant)) continue
      const deleted = await this.#context.db.vm.count({
        where: { id: grant.vmId, deletedAt: { not: null } },
      })
      if (deleted > 0) pipe.close(portalConsoleClose.notFound, 'The VM was deleted.')
      else
        pipe.close(
          portalConsoleClose.unauthorized,
          'You are signed out, or no longer a member of its project.',
        )
    }
  }

  close(): void {
    clearInterval(this.#timer)
    for (const stop of this.#stops) stop()
    for (const pipe of this.#open.keys()) pipe.close(portalConsoleClose.portalEnds, 'Hearth is restarting.')
  }
}

function hostPath({ kind, viewer }: ConsoleGrant): string {
  if (kind === 'serial') return 'serial'
  return `display?${new URLSearchParams({ id: viewer.id, name: viewer.name, input: viewer.input ? '1' : '0' })}`
}
