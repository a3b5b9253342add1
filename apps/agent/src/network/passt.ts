/** The guests' network where the agent is not root: one passt per VM, which translates in user space. */
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { HearthError } from '@hearth/shared/errors'
import type { PortProtocol } from '@hearth/shared/network'
import { type ProcessIdentity, signalProcess } from '../host/process-identity.ts'
import { lastLogLine, launchDetached, type VmSockets } from '../vmm/launch.ts'
import { nameServers } from './dnsmasq.ts'
import type { Attachment, Guest, GuestNetwork } from './guest-network.ts'

/**
 * `--no-map-gw`: passt otherwise shows the host's loopback, and with it the agent's port, at the gateway's
 * address. `--one-off`: it ends with the monitor it serves.
 */
export function passtArguments(
  socket: string,
  nameServers: string[],
  guest: Pick<Guest, 'forwards' | 'firewall'> = {},
): string[] {
  const { forwards = [], firewall } = guest
  const ports = (protocol: PortProtocol) => {
    const wanted = forwards.filter((forward) => forward.protocol === protocol && firewall?.from !== 'nobody')
    return wanted.map(({ hostPort, guestPort }) => `${hostPort}:${guestPort}`).join(',') || 'none'
  }
  return [
    '--foreground',
    '--quiet',
    '--one-off',
    '--no-map-gw',
    ...['--tcp-ports', ports('tcp'), '--udp-ports', ports('udp')],
    ...['--mtu', '1500'],
    ...nameServers.flatMap((server) => ['--dns', server]),
    ...['--socket', socket],
  ]
}

/**
 * Name servers passt has to be told of: with `--no-map-gw` a resolver on the host's loopback, as systemd-resolved
 * is, cannot be reached by a guest, but systemd-resolved writes down the servers behind it. None means that
 * passt's own reading of resolv.conf is right.
 */
export function nameServersBehindLoopback(resolvConf: string, resolvedConf: string): string[] {
  const isLoopback = (server: string) => server.startsWith('127.') || server === '::1'
  if (nameServers(resolvConf).some((server) => !isLoopback(server))) return []
  return nameServers(resolvedConf).filter((server) => !isLoopback(server))
}

const readyTimeoutMs = 10_000

export class PasstNetwork implements GuestNetwork {
  readonly kind = 'passt'
  readonly bridge = null
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
    const [resolvConf, resolvedConf] = await Promise.all(
      ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'].map((path) =>
        readFile(path, 'utf8').catch(() => ''),
      ),
    )
    const launched = await launchDetached({
      command: 'passt',
      args: passtArguments(
        sockets.net,
        nameServersBehindLoopback(resolvConf ?? '', resolvedConf ?? ''),
        guest,
      ),
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
