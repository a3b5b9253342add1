/** The guests' network where the agent is root: a bridge with NAT, a TAP per running VM, DHCP and DNS. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HearthError } from '@hearth/shared/errors'
import { z } from 'zod'
import { run } from '../host/command.ts'
import { errorText, type Log } from '../log.ts'
import { readJson, writeJsonAtomic } from '../store/atomic-file.ts'
import { Dnsmasq, dnsmasqFiles } from './dnsmasq.ts'
import type { Attachment, Guest, GuestNetwork } from './guest-network.ts'
import { nftRuleset, nftTableName } from './nftables.ts'
import { chooseAddress, chooseSubnet, parseSubnet, type Subnet, type UsedNetwork } from './subnet.ts'
import { tapName } from './tap-name.ts'

const networkRecordSchema = z.object({ v: z.literal(1), bridge: z.string(), subnet: z.string() })

/** A bridge whose MAC is not fixed changes it with every port, and guests lose their gateway for a while. */
export function bridgeMac(owner: string): string {
  const hex = createHash('sha256').update(owner).digest('hex')
  return `02:68:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}`
}

const linkSchema = z.array(
  z.object({ ifname: z.string(), ifalias: z.string().optional(), master: z.string().optional() }),
)
const routeSchema = z.array(z.object({ dst: z.string(), dev: z.string().optional() }))

export interface NatOptions {
  state: string
  runDir: string
  kind: 'kvm' | 'lab'
  bridge: string | null
  subnet: string | null
  bootId: string
  log: Log
  onLeases: () => void
}

export class NatNetwork implements GuestNetwork {
  readonly kind = 'nat'
  readonly #options: NatOptions
  /** Written on the bridge as its alias, so that another agent on this machine knows whose it is. */
  readonly #owner: string
  #bridge = ''
  #subnet: Subnet = parseSubnet('10.83.0.0/24')!
  #dnsmasq: Dnsmasq | null = null
  /** As the kernel has them; one writer at a time. */
  #rules = ''
  #writing: Promise<void> = Promise.resolve()

  constructor(options: NatOptions) {
    this.#options = options
    this.#owner = `hearth ${options.state}`.slice(0, 200)
  }

  get bridge(): string {
    return this.#bridge
  }

  get subnet(): Subnet {
    return this.#subnet
  }

  async start(guests: Guest[], running: Guest[]): Promise<void> {
    try {
      await this.#bringUp(guests, running)
    } catch (error) {
      if (error instanceof HearthError) throw error
      throw new HearthError('host_refused', 'The network for VMs could not be set up.', {
        log: `the network for VMs could not be set up; it needs the Debian packages iproute2, nftables and dnsmasq-base: ${errorText(error)}`,
        cause: error,
      })
    }
  }

  async #bringUp(guests: Guest[], running: Guest[]): Promise<void> {
    await this.#choose()
    await this.#createBridge()
    await this.#removeStaleTaps(guests, running)
    this.#rules = ''
    await this.#writeRules(guests)
    await writeFile('/proc/sys/net/ipv4/ip_forward', '1\n')
    // Guests with a firewall are reached through this box: nobody is to be told of the shorter way. The setting of an
    // interface and that of all are joined by "or", so this changes none of the other interfaces.
    for (const name of ['all', this.#bridge])
      await writeFile(`/proc/sys/net/ipv4/conf/${name}/send_redirects`, '0\n')
    this.#dnsmasq = new Dnsmasq({
      bridge: this.#bridge,
      subnet: this.#subnet,
      files: dnsmasqFiles(this.#options.runDir, this.#options.state),
      bootId: this.#options.bootId,
      log: this.#options.log,
      onLeases: this.#options.onLeases,
    })
    await this.#dnsmasq.start(guests.map((guest) => this.#moved(guest)))
    this.#options.log.info('guest network is up', { bridge: this.#bridge, subnet: this.#subnet.cidr })
  }

  chooseAddress(taken: Iterable<string>): string {
    const address = chooseAddress(this.#subnet, taken)
    if (!address)
      throw new HearthError(
        'resource_limit_exceeded',
        `The network ${this.#subnet.cidr} has no free address left. Delete a VM first.`,
      )
    return address
  }

  currentAddress(address: string | null): string | null {
    return address === null ? null : `${this.#subnet.prefix}.${address.split('.')[3]}`
  }

  async setGuests(guests: Guest[]): Promise<void> {
    await this.#writeRules(guests)
    await this.#dnsmasq?.setGuests(guests.map((guest) => this.#moved(guest)))
  }

  async attach(guest: Guest): Promise<Attachment> {
    const tap = tapName(guest.vmUid)
    await this.#removeTap(tap)
    const bridge = guest.bridge ?? this.#bridge
    if (!existsSync(`/sys/class/net/${bridge}/bridge`))
      throw new HearthError(
        'host_refused',
        `This host has no bridge ${bridge} (any more). Choose another network for the VM.`,
      )
    await run('ip', ['-batch', '-'], {
      input: [
        `tuntap add dev ${tap} mode tap vnet_hdr multi_queue`,
        `link set dev ${tap} addrgenmode none`,
        `link set dev ${tap} master ${bridge}`,
        `link set dev ${tap} up`,
        '',
      ].join('\n'),
    })
    return { net: { kind: 'tap', target: tap, mac: guest.mac }, passt: null }
  }

  async detach(vmUid: string): Promise<void> {
    await this.#removeTap(tapName(vmUid))
  }

  addresses(mac: string): string[] {
    return this.#dnsmasq?.addresses(mac) ?? []
  }

  async stop(guestsRunning: boolean): Promise<void> {
    await this.#dnsmasq?.stop(guestsRunning)
    if (guestsRunning || this.#bridge === '') return
    for (const family of ['inet', 'bridge'])
      await run('nft', ['delete', 'table', family, nftTableName(this.#bridge)]).catch(() => undefined)
    await run('ip', ['link', 'delete', 'dev', this.#bridge]).catch(() => undefined)
  }

  /** All rules at once, and only when they differ: whoever is connected does not notice. */
  #writeRules(guests: Guest[]): Promise<void> {
    const input = nftRuleset({
      bridge: this.#bridge,
      bridgeMac: bridgeMac(this.#owner),
      subnet: this.#subnet,
      kind: this.#options.kind,
      guests: guests.map((guest) => this.#moved(guest)),
    })
    const next = this.#writing.then(async () => {
      if (input === this.#rules) return
      await run('nft', ['-f', '-'], { input })
      this.#rules = input
    })
    this.#writing = next.catch(() => undefined)
    return next
  }

  #moved(guest: Guest): Guest {
    return { ...guest, address: this.currentAddress(guest.address) }
  }

  /** The network of the last start as long as nothing else uses it: guests keep their addresses. */
  async #choose(): Promise<void> {
    const path = join(this.#options.state, 'network.json')
    const record = networkRecordSchema.safeParse(await readJson(path)).data
    const links = linkSchema.parse(JSON.parse(await run('ip', ['-j', 'link', 'show'])))
    const isOurs = (name: string) => links.find((link) => link.ifname === name)?.ifalias === this.#owner
    const isFree = (name: string) => isOurs(name) || !links.some((link) => link.ifname === name)

    const wanted = this.#options.bridge
    if (wanted !== null && !isFree(wanted))
      throw new HearthError('host_refused', `The interface ${wanted} exists already and is not this agent's.`)
    const names = [
      record?.bridge ?? 'hearth0',
      ...Array.from({ length: 100 }, (_, index) => `hearth${index}`),
    ]
    const bridge = wanted ?? names.find(isFree)
    if (!bridge) throw new HearthError('host_refused', 'No bridge name is free on this machine.')

    const preferred =
      parseSubnet(this.#options.subnet ?? record?.subnet ?? '') ?? parseSubnet('10.83.0.0/24')!
    const subnet = chooseSubnet(preferred, await this.#usedNetworks(bridge))
    if (!subnet) throw new HearthError('host_refused', 'No private network is free on this machine.')
    if (subnet.cidr !== preferred.cidr)
      this.#options.log.warn('network is in use here, another is taken', {
        wanted: preferred.cidr,
        taken: subnet.cidr,
      })
    this.#bridge = bridge
    this.#subnet = subnet
    await writeJsonAtomic(path, { v: 1, bridge, subnet: subnet.cidr })
  }

  async #usedNetworks(ownBridge: string): Promise<UsedNetwork[]> {
    const routes = routeSchema.parse(
      JSON.parse(await run('ip', ['-j', '-4', 'route', 'show', 'table', 'all'])),
    )
    const used: UsedNetwork[] = []
    for (const route of routes) {
      if (route.dst === 'default' || route.dev === ownBridge) continue
      const [address = '', bits = '32'] = route.dst.split('/')
      if (/^\d+(\.\d+){3}$/.test(address)) used.push({ address, bits: Number(bits) })
    }
    return used
  }

  async #createBridge(): Promise<void> {
    const name = this.#bridge
    const exists = existsSync(`/sys/class/net/${name}`)
    await run('ip', ['-batch', '-'], {
      input: [
        ...(exists ? [] : [`link add name ${name} type bridge stp_state 0 forward_delay 0`]),
        `link set dev ${name} alias "${this.#owner}"`,
        `link set dev ${name} address ${bridgeMac(this.#owner)}`,
        `link set dev ${name} addrgenmode none`,
        `address replace ${this.#subnet.gateway}/24 dev ${name}`,
        `link set dev ${name} up`,
        '',
      ].join('\n'),
    })
  }

  async #removeStaleTaps(guests: Guest[], running: Guest[]): Promise<void> {
    const keep = new Set(running.map((guest) => tapName(guest.vmUid)))
    const links = linkSchema.parse(
      JSON.parse(await run('ip', ['-j', 'link', 'show', 'master', this.#bridge])),
    )
    for (const link of links) {
      if (!/^ht[0-9a-f]{12}$/.test(link.ifname) || keep.has(link.ifname)) continue
      await this.#removeTap(link.ifname)
    }
    // On a bridge of the box's own network another agent's may be, too: only those known by name are ours.
    for (const { vmUid, bridge } of guests)
      if (bridge !== undefined && !keep.has(tapName(vmUid))) await this.#removeTap(tapName(vmUid))
  }

  async #removeTap(name: string): Promise<void> {
    if (!existsSync(`/sys/class/net/${name}`)) return
    try {
      await run('ip', ['link', 'delete', 'dev', name])
    } catch (error) {
      const gone = !(await readFile(`/sys/class/net/${name}/ifindex`, 'utf8').catch(() => ''))
      if (!gone) this.#options.log.warn('cannot remove a TAP', { tap: name, error: errorText(error) })
    }
  }
}
