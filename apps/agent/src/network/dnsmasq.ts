/**
 * DHCP and DNS for guests: one dnsmasq on the bridge, told everything by its command line and three files, so
 * that it can be replaced at any time without a guest noticing. It runs detached: an agent that restarts
 * replaces it, an agent that is away does not take the guests' network with it.
 */
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  findProcessesByArgument,
  isProcessAlive,
  type ProcessIdentity,
  signalProcess,
} from '../host/process-identity.ts'
import { errorText, type Log } from '../log.ts'
import { writeFileAtomic } from '../store/atomic-file.ts'
import { launchDetached } from '../vmm/launch.ts'
import type { Guest } from './guest-network.ts'
import { leasedAddresses, withoutStrangers } from './leases.ts'
import type { Subnet } from './subnet.ts'

/** RFC 8375: the domain for names in a home. */
const localDomain = 'home.arpa'

export interface DnsmasqFiles {
  /** Readable by dnsmasq after it gave up root: fixed addresses and upstream servers. */
  folder: string
  hosts: string
  servers: string
  leases: string
  log: string
}

export function dnsmasqFiles(runDir: string, stateFolder: string): DnsmasqFiles {
  // Beside the run directory, not in it: that one is closed to others and holds the VMs' control sockets.
  const folder = `${runDir}-dns`
  return {
    folder,
    hosts: join(folder, 'dhcp-hosts'),
    servers: join(folder, 'servers'),
    leases: join(stateFolder, 'dhcp.leases'),
    log: join(stateFolder, 'dnsmasq.log'),
  }
}

export function dnsmasqArguments(options: { bridge: string; subnet: Subnet; files: DnsmasqFiles }): string[] {
  const { bridge, subnet, files } = options
  return [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--log-facility=-',
    '--pid-file=',
    '--no-resolv',
    '--no-hosts',
    `--servers-file=${files.servers}`,
    `--interface=${bridge}`,
    '--except-interface=lo',
    '--bind-interfaces',
    '--bogus-priv',
    '--domain-needed',
    `--domain=${localDomain}`,
    `--local=/${localDomain}/`,
    `--address=/hearth.${localDomain}/${subnet.gateway}`,
    '--dhcp-authoritative',
    // Only guests in the hosts file get an address, always the same one: no need to probe it first.
    '--no-ping',
    `--dhcp-range=${subnet.prefix}.0,static,${subnet.netmask},12h`,
    `--dhcp-hostsfile=${files.hosts}`,
    `--dhcp-leasefile=${files.leases}`,
    '--quiet-dhcp',
  ]
}

export function dhcpHosts(guests: Guest[]): string {
  return guests
    .filter((guest) => guest.address !== null)
    .map((guest) => `${guest.mac},${guest.address},${guest.name}\n`)
    .join('')
}

/** The servers of a resolv.conf(5), each once. */
export function nameServers(resolvConf: string): string[] {
  const servers = resolvConf.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
  return [...new Set(servers)]
}

/** Name servers of this box; ones that would be the guests' own dnsmasq again are left out. */
export function upstreamServers(resolvConf: string, ownAddress: string): string[] {
  return nameServers(resolvConf).filter((server) => server !== ownAddress)
}

const superviseIntervalMs = 1000

export class Dnsmasq {
  readonly #bridge: string
  readonly #subnet: Subnet
  readonly #files: DnsmasqFiles
  readonly #bootId: string
  readonly #log: Log
  readonly #onLeases: () => void
  #process: ProcessIdentity | null = null
  #timer: NodeJS.Timeout | null = null
  #leaseText = ''
  #hosts = ''
  #servers = ''
  /** One change at a time: reload and replacement must not overlap. */
  #work: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: {
    bridge: string
    subnet: Subnet
    files: DnsmasqFiles
    bootId: string
    log: Log
    onLeases: () => void
  }) {
    this.#bridge = options.bridge
    this.#subnet = options.subnet
    this.#files = options.files
    this.#bootId = options.bootId
    this.#log = options.log
    this.#onLeases = options.onLeases
  }

  async start(guests: Guest[]): Promise<void> {
    const { folder } = this.#files
    await mkdir(folder, { recursive: true, mode: 0o755 })
    await chmod(folder, 0o755)
    await this.#writeServers()
    await this.#exclusive(() => this.#replace(guests))
    this.#timer = setInterval(() => void this.#supervise(), superviseIntervalMs)
  }

  /** A changed set is re-read in place; leases of guests that are gone need a replacement, for dnsmasq keeps them in memory. */
  async setGuests(guests: Guest[]): Promise<void> {
    await this.#exclusive(async () => {
      const known = new Set(guests.map((guest) => guest.mac))
      const text = await this.#readLeases()
      if (withoutStrangers(text, known) !== text) await this.#replace(guests)
      else await this.#reload(guests)
    })
  }

  addresses(mac: string): string[] {
    return leasedAddresses(this.#leaseText, Date.now() / 1000).get(mac) ?? []
  }

  async stop(leaveRunning: boolean): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearInterval(this.#timer)
    await this.#work
    if (leaveRunning) return
    await this.#killAll()
    await rm(this.#files.folder, { recursive: true, force: true })
  }

  async #reload(guests: Guest[]): Promise<void> {
    const hosts = dhcpHosts(guests)
    if (hosts === this.#hosts) return
    await this.#writeHosts(hosts)
    if (this.#process) signalProcess(this.#process, this.#bootId, 'SIGHUP')
  }

  async #replace(guests: Guest[]): Promise<void> {
    await this.#killAll()
    await this.#writeHosts(dhcpHosts(guests))
    const leases = withoutStrangers(await this.#readLeases(), new Set(guests.map((guest) => guest.mac)))
    await writeFileAtomic(this.#files.leases, leases)
    this.#leaseText = leases
    await this.#launch()
  }

  async #launch(): Promise<void> {
    const args = dnsmasqArguments({ bridge: this.#bridge, subnet: this.#subnet, files: this.#files })
    const launched = await launchDetached({
      command: 'dnsmasq',
      args,
      logFile: this.#files.log,
      bootId: this.#bootId,
    })
    this.#process = launched.identity
    void launched.exit.then(({ code }) => {
      if (!this.#stopped && launched.identity === this.#process)
        this.#log.warn('dnsmasq ended', { code, log: this.#files.log })
    })
  }

  async #killAll(): Promise<void> {
    this.#process = null
    const argument = `--dhcp-hostsfile=${this.#files.hosts}`
    for (const identity of findProcessesByArgument(argument, this.#bootId)) {
      signalProcess(identity, this.#bootId, 'SIGTERM')
      const deadline = Date.now() + 3000
      while (isProcessAlive(identity, this.#bootId)) {
        if (Date.now() > deadline) signalProcess(identity, this.#bootId, 'SIGKILL')
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  async #supervise(): Promise<void> {
    try {
      const text = await this.#readLeases()
      if (text !== this.#leaseText) {
        this.#leaseText = text
        this.#onLeases()
      }
      if (await this.#writeServers()) {
        if (this.#process) signalProcess(this.#process, this.#bootId, 'SIGHUP')
      }
      if (!this.#process || !isProcessAlive(this.#process, this.#bootId)) {
        await this.#exclusive(async () => {
          if (this.#stopped || (this.#process && isProcessAlive(this.#process, this.#bootId))) return
          await this.#killAll()
          await this.#launch()
        })
      }
    } catch (error) {
      this.#log.warn('dnsmasq supervision failed', { error: errorText(error) })
    }
  }

  async #writeServers(): Promise<boolean> {
    const resolvConf = await readFile('/etc/resolv.conf', 'utf8').catch(() => '')
    const servers = upstreamServers(resolvConf, this.#subnet.gateway)
      .map((server) => `server=${server}\n`)
      .join('')
    if (servers === this.#servers) return false
    await writeFile(this.#files.servers, servers, { mode: 0o644 })
    this.#servers = servers
    return true
  }

  async #writeHosts(hosts: string): Promise<void> {
    await writeFileAtomic(this.#files.hosts, hosts, 0o644)
    this.#hosts = hosts
  }

  async #readLeases(): Promise<string> {
    return readFile(this.#files.leases, 'utf8').catch(() => '')
  }

  #exclusive(work: () => Promise<void>): Promise<void> {
    const next = this.#work.then(work)
    this.#work = next.catch(() => undefined)
    return next
  }
}
