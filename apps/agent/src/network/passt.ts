/** The guests' network where the agent is not root: one passt per VM, which translates in user space. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { HearthError } from '@hearth/shared/errors'
import { type ProcessIdentity, signalProcess } from '../host/process-identity.ts'
import { lastLogLine, launchDetached, type VmSockets } from '../vmm/launch.ts'
import type { Attachment, Guest, GuestNetwork } from './guest-network.ts'

/**
 * `--no-map-gw`: passt otherwise shows the host's loopback, and with it the agent's port, at the gateway's
 * address. `--one-off`: it ends with the monitor it serves.
 */
export function passtArguments(socket: string): string[] {
  return [
    '--foreground',
    '--quiet',
    '--one-off',
    '--no-map-gw',
    ...['--tcp-ports', 'none', '--udp-ports', 'none'],
    ...['--mtu', '1500'],
    ...['--socket', socket],
  ]
}

const readyTimeoutMs = 10_000

export class PasstNetwork implements GuestNetwork {
  readonly kind = 'passt'
  readonly #bootId: string

  constructor(options: { bootId: string }) {
    this.#bootId = options.bootId
  }

  async start(): Promise<void> {}

  chooseAddress(): null {
    return null
  }

  currentAddress(): null {
    return null
  }

  async setGuests(): Promise<void> {}

  async attach(guest: Guest, sockets: VmSockets, logFile: string): Promise<Attachment> {
    await rm(sockets.net, { force: true })
    const launched = await launchDetached({
      command: 'passt',
      args: passtArguments(sockets.net),
      logFile,
      bootId: this.#bootId,
    }).catch((error: NodeJS.ErrnoException) => {
      throw new HearthError('host_refused', 'passt could not be started; install the Debian package passt.', {
        cause: error,
      })
    })
    const deadline = Date.now() + readyTimeoutMs
    let ended = false
    void launched.exit.then(() => {
      ended = true
    })
    while (!existsSync(sockets.net)) {
      if (ended || Date.now() > deadline) {
        signalProcess(launched.identity, this.#bootId, 'SIGKILL')
        const reason = (await lastLogLine(logFile)) ?? 'it gave no reason'
        throw new HearthError('host_refused', `The VM's network (passt) did not start: ${reason}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return { net: { kind: 'passt', target: sockets.net, mac: guest.mac }, passt: launched.identity }
  }

  async detach(_vmUid: string, passt: ProcessIdentity | null): Promise<void> {
    if (passt) signalProcess(passt, this.#bootId, 'SIGTERM')
  }

  addresses(): string[] {
    return []
  }

  async stop(): Promise<void> {}
}
