import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { NetBackend } from '../net/backend.ts'
import type { RateLimiter } from '../rate/token-bucket.ts'
import type { DescriptorChain } from './chain.ts'
import { DEVICE_ID } from './constants.ts'
import type { VirtioContext, VirtioDevice } from './device.ts'
import { DeviceConfig } from './device-config.ts'
import {
  CTRL_MQ,
  NET_ACK,
  NET_CONFIG_BYTES,
  NET_CONFIG_MAX_PAIRS,
  NET_CONFIG_STATUS,
  NET_F,
  NET_STATUS_LINK_UP,
  netFeaturesConsistent,
} from './net-config.ts'
import { NetPair, type NetPairShared, type Traffic } from './net-pair.ts'

export interface NetOptions {
  /** Six octets. */
  readonly mac: readonly number[]
  /** One line for the monitor's log when the cable is cut. */
  readonly log?: (message: string) => void
  /** Of what the guest sends, and of what it receives. */
  readonly txLimiter?: RateLimiter | undefined
  readonly rxLimiter?: RateLimiter | undefined
  /** What the thread's networks move together. */
  readonly traffic?: Traffic | undefined
}

const QUEUE_SIZE = 256
const CONTROL_QUEUE_SIZE = 64
/** Section 5.1.6.5: class, command, and behind them what the command wants. */
const CONTROL_HEADER_BYTES = 2

/**
 * VIRTIO 1.2, section 5.1: a network card with as many pairs of queues as it has backends (net-pair.ts moves their
 * packets). With several there is a control queue, by which the driver says how many it uses; until then it is one.
 */
export class NetDevice implements VirtioDevice {
  readonly name = 'net'
  readonly deviceId = DEVICE_ID.NET
  readonly queueSizes: readonly number[]
  readonly features: bigint
  readonly config: DeviceConfig
  readonly counters = {
    rxPackets: 0,
    rxBytes: 0,
    rxDropped: 0,
    txPackets: 0,
    txBytes: 0,
    txDropped: 0,
    errors: 0,
  }
  private readonly backends: readonly NetBackend[]
  private readonly pairs: readonly NetPair[]
  private readonly shared: NetPairShared
  private readonly log: (message: string) => void
  private context: VirtioContext | undefined
  /** Those the driver uses, the first ones. */
  private used = 1

  /** Takes over `backends`, at least one, all of the same features and, for several, the same cable. */
  constructor(backends: readonly NetBackend[], options: NetOptions) {
    this.backends = backends
    this.log = options.log ?? (() => {})
    const { txLimiter, rxLimiter, traffic } = options
    this.shared = {
      counters: this.counters,
      txLimiter,
      rxLimiter,
      traffic,
      linkUp: true,
      linkLost: (reason) => this.linkLost(reason),
    }
    this.pairs = backends.map((backend, i) => new NetPair(i, backend, this.shared))
    const queues = new Array<number>(backends.length * 2).fill(QUEUE_SIZE)
    this.queueSizes = backends.length > 1 ? [...queues, CONTROL_QUEUE_SIZE] : queues
    this.features =
      backends[0]!.features |
      NET_F.MAC |
      NET_F.STATUS |
      NET_F.MRG_RXBUF |
      (backends.length > 1 ? NET_F.CTRL_VQ | NET_F.MQ : 0n)
    this.config = new DeviceConfig(NET_CONFIG_BYTES)
    for (const [i, octet] of options.mac.entries()) this.config.view.setUint8(i, octet)
    this.config.view.setUint16(NET_CONFIG_STATUS, NET_STATUS_LINK_UP, true)
    this.config.view.setUint16(NET_CONFIG_MAX_PAIRS, backends.length, true)
    for (const backend of backends.slice(1)) backend.attach?.(false)
  }

  acceptsFeatures(negotiated: bigint): boolean {
    return netFeaturesConsistent(negotiated)
  }

  activate(context: VirtioContext): void {
    this.context = context
    this.used = 1
    this.pairs[0]!.activate(context)
  }

  notify(index: number): void {
    const { context } = this
    if (context === undefined) return
    if (index === this.controlQueue(context)) {
      this.serveControl(context, index)
      return
    }
    const pair = index >> 1
    // 5.1.6.5.6: of queues that are not in use nothing is taken.
    if (pair >= this.used) return
    if (index % 2 === 0) this.pairs[pair]!.refilled()
    else this.pairs[pair]!.send()
  }

  save(): VirtioDeviceState<'net'> {
    for (const pair of this.pairs) pair.undo()
    return this.used === 1 ? {} : { pairs: this.used }
  }

  restore({ pairs = 1 }: VirtioDeviceState<'net'>): void {
    if (pairs > this.pairs.length)
      throw new Error(`the driver uses ${pairs} of ${this.pairs.length} pairs of queues`)
    if (this.context !== undefined) this.use(this.context, pairs)
  }

  reset(): void {
    for (const pair of this.pairs) pair.reset()
    for (const backend of this.backends.slice(1, this.used)) backend.attach?.(false)
    this.used = 1
    this.context = undefined
  }

  close(): void {
    this.reset()
    for (const pair of this.pairs) pair.close()
  }

  private linkLost(reason: string): void {
    if (!this.shared.linkUp) return
    this.shared.linkUp = false
    this.log(`net: ${reason}; the guest's link is down`)
    this.config.view.setUint16(NET_CONFIG_STATUS, 0, true)
    this.context?.configChanged()
    for (const pair of this.pairs) pair.giveUpStuck()
  }

  /** Section 5.1.2: behind all pairs, or behind the first one for a driver that knows of no more. */
  private controlQueue({ features }: VirtioContext): number {
    if ((features & NET_F.CTRL_VQ) === 0n) return -1
    return (features & NET_F.MQ) === 0n ? 2 : this.pairs.length * 2
  }

  private serveControl(context: VirtioContext, index: number): void {
    const queue = context.queues[index]!
    // At most one ring's worth a turn; a driver that offers more meanwhile rings again.
    for (let left = CONTROL_QUEUE_SIZE; left > 0; left--) {
      const chain = queue.pop()
      if (chain === null) break
      if (chain.readableBytes < CONTROL_HEADER_BYTES || chain.writableBytes < 1) {
        context.fail(
          `a control command of ${chain.readableBytes} bytes and ${chain.writableBytes} for the answer`,
        )
        return
      }
      chain.writeU8(0, this.command(context, chain) ? NET_ACK.OK : NET_ACK.ERR)
      queue.push(chain, 1)
    }
    context.interrupt(index)
    if (queue.enableNotify()) context.loop.after(0, () => this.notify(index))
  }

  /** Section 5.1.6.5.6; the only command of the features that are offered. */
  private command(context: VirtioContext, chain: DescriptorChain): boolean {
    if (chain.readU8(0) !== CTRL_MQ.CLASS || chain.readU8(1) !== CTRL_MQ.VQ_PAIRS_SET) return false
    if ((context.features & NET_F.MQ) === 0n || chain.readableBytes < CONTROL_HEADER_BYTES + 2) return false
    const wanted = chain.readU8(2) + chain.readU8(3) * 256
    if (wanted < 1 || wanted > this.pairs.length) return false
    this.use(context, wanted)
    return true
  }

  private use(context: VirtioContext, wanted: number): void {
    const before = this.used
    this.used = wanted
    for (let i = before; i < wanted; i++) {
      this.backends[i]!.attach?.(true)
      this.pairs[i]!.activate(context)
      this.pairs[i]!.send()
    }
    for (let i = wanted; i < before; i++) {
      this.pairs[i]!.undo()
      this.pairs[i]!.reset()
      this.backends[i]!.attach?.(false)
    }
  }
}
