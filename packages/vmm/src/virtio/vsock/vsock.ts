import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { Registration } from '../../io/event-loop.ts'
import * as libc from '../../sys/libc.ts'
import { type DescriptorChain, IovecList } from '../chain.ts'
import { DEVICE_ID } from '../constants.ts'
import type { VirtioContext, VirtioDevice } from '../device.ts'
import { DeviceConfig } from '../device-config.ts'
import { VsockConnection } from './connection.ts'
import { HostSide } from './host-side.ts'
import { keyOf, Notices, type Ports, writeHeader } from './notices.ts'
import {
  decodeHeader,
  EVENT_BYTES,
  EVENT_TRANSPORT_RESET,
  HEADER_BYTES,
  HOST_CID,
  OP,
  QUEUE,
  SHUTDOWN,
  TYPE_STREAM,
  type VsockHeader,
} from './protocol.ts'

export interface VsockOptions {
  readonly cid: number
  /** The unix socket at `path`, listening; somebody else's, and stays open. */
  readonly listenFd: number
  readonly path: string
}

const QUEUE_SIZE = 128
const MAX_CONNECTIONS = 1024
/** Packets moved in one turn of the loop: after that the thread's other devices come first. */
const TURN = 64
const MAX_PAYLOAD = 64 * 1024
/** The host's ports for its own connections begin here, where the guest's programs listen at none. */
const FIRST_HOST_PORT = 0x4000_0000
/** How often a program that sends no more is asked whether it is still there. */
const HALF_CLOSED_MS = 1000

/**
 * VIRTIO 1.2, section 5.10: streams between programs of the guest (AF_VSOCK) and of the host (unix sockets). What one
 * side does not take holds the other back by the credit of each connection; nothing here grows without bound.
 */
export class VsockDevice implements VirtioDevice {
  readonly name = 'vsock'
  readonly deviceId = DEVICE_ID.VSOCK
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE, 8]
  readonly features = 0n
  readonly config = new DeviceConfig(8)
  readonly counters = { rxBytes: 0, txBytes: 0, connections: 0, refused: 0 }
  private readonly cid: number
  private readonly host: HostSide
  private readonly iov = new IovecList(16)
  private readonly header = new Uint8Array(HEADER_BYTES)
  private context: VirtioContext | undefined
  private readonly connections = new Map<string, VsockConnection>()
  /** The host has something for the guest to read, and the guest has room. */
  private readonly ready = new Set<VsockConnection>()
  private readonly notices = new Notices()
  private nextHostPort = FIRST_HOST_PORT
  private resetToTell = false
  private turn: Registration | undefined
  private halfClosed: Registration | undefined

  constructor({ cid, listenFd, path }: VsockOptions, log: (text: string) => void = () => {}) {
    this.cid = cid
    this.config.setU64(0, cid)
    this.host = new HostSide({ listenFd, path, log: (text) => log(`vsock: ${text}`) })
  }

  activate(context: VirtioContext): void {
    this.context = context
    this.host.start(context.loop, (port, fd) => this.connectGuest(port, fd))
  }

  notify(index: number): void {
    if (index === QUEUE.RX) this.send()
    else if (index === QUEUE.TX) this.take()
    else this.tellReset()
  }

  save(): VirtioDeviceState<'vsock'> {
    return {}
  }

  /** The programs at the host's ends are another process's: section 5.10.6.7 ends the guest's connections. */
  restore(): void {
    this.resetToTell = true
    this.tellReset()
  }

  reset(): void {
    this.turn?.remove()
    this.turn = undefined
    this.halfClosed?.remove()
    this.halfClosed = undefined
    this.host.stop()
    for (const connection of this.connections.values()) connection.close()
    this.connections.clear()
    this.ready.clear()
    this.notices.clear()
    this.resetToTell = false
    this.context = undefined
  }

  close(): void {
    this.reset()
  }

  // From the guest.

  private take(): void {
    const { context } = this
    const queue = context?.queues[QUEUE.TX]
    if (context === undefined || queue === undefined) return
    let taken = 0
    for (; taken < TURN && !this.notices.full; taken++) {
      const chain = queue.pop()
      if (chain === null) break
      const wrong = this.packet(chain)
      queue.push(chain, 0)
      if (wrong === undefined) continue
      this.fail(wrong)
      return
    }
    if (taken > 0) context.interrupt(QUEUE.TX)
    this.send()
    // Refusals fill the house: go on when the guest has taken some.
    if (this.notices.full) return
    if (taken === TURN || queue.enableNotify()) this.again()
  }

  /** Undefined, or what no driver may do. */
  private packet(chain: DescriptorChain): string | undefined {
    if (chain.readableBytes < HEADER_BYTES) return `a packet of ${chain.readableBytes} bytes has no header`
    chain.read(0, this.header)
    const packet = decodeHeader(this.header)
    if (packet.length > chain.readableBytes - HEADER_BYTES) {
      return `a packet says ${packet.length} bytes and has ${chain.readableBytes - HEADER_BYTES}`
    }
    // 5.10.6.4.1: what is from somebody else, or for somebody else, is dropped or refused.
    if (packet.sourceCid !== this.cid) return undefined
    const ports = { hostPort: packet.destinationPort, guestPort: packet.sourcePort }
    if (packet.type !== TYPE_STREAM || packet.destinationCid !== HOST_CID) {
      if (packet.op !== OP.RST) this.refuse(ports)
      return undefined
    }
    const connection = this.connections.get(keyOf(ports))
    if (connection !== undefined) this.answer(connection, packet, chain)
    else if (packet.op === OP.REQUEST) this.connectHost(ports, packet)
    else if (packet.op !== OP.RST) this.refuse(ports)
    return undefined
  }

  private answer(connection: VsockConnection, packet: VsockHeader, chain: DescriptorChain): void {
    connection.takeCredit(packet.bufferSize, packet.forwarded)
    if (!this.react(connection, packet, chain)) this.abort(connection)
    else if (connection.mayRead) this.ready.add(connection)
  }

  /** False: nothing that fits the connection as it is. */
  private react(connection: VsockConnection, packet: VsockHeader, chain: DescriptorChain): boolean {
    switch (packet.op) {
      case OP.RESPONSE:
        if (!connection.requested) return false
        connection.requested = false
        connection.say(`OK ${connection.hostPort}\n`)
        return true
      case OP.RST:
        this.drop(connection)
        return true
      case OP.SHUTDOWN:
        connection.guestShutdown |= packet.flags & SHUTDOWN.BOTH
        this.afterFlush(connection)
        return true
      case OP.RW:
        if (connection.requested || (connection.guestShutdown & SHUTDOWN.SEND) !== 0) return false
        if (!connection.transmit(chain, HEADER_BYTES, packet.length, this.iov)) return false
        this.counters.txBytes += packet.length
        this.afterFlush(connection)
        return true
      case OP.CREDIT_UPDATE:
        return true
      case OP.CREDIT_REQUEST:
        this.notices.add(connection, OP.CREDIT_UPDATE)
        return true
      default:
        return false
    }
  }

  /** A program of the guest wants one of the host. */
  private connectHost(ports: Ports, packet: VsockHeader): void {
    const reached = this.connections.size < MAX_CONNECTIONS ? this.host.reach(ports.hostPort) : undefined
    if (reached === undefined) {
      this.refuse(ports)
      return
    }
    const connection = this.add(ports, reached.fd, false)
    connection.takeCredit(packet.bufferSize, packet.forwarded)
    if (reached.wasWaiting) connection.say(`OK ${ports.guestPort}\n`)
    this.notices.add(connection, OP.RESPONSE)
    this.ready.add(connection)
  }

  /** A program of the host wants one of the guest. */
  private connectGuest(guestPort: number, fd: number): void {
    if (this.connections.size >= MAX_CONNECTIONS || this.context === undefined) {
      libc.close(fd)
      return
    }
    let hostPort: number
    do {
      hostPort = this.nextHostPort
      this.nextHostPort = hostPort === 0xffff_fffe ? FIRST_HOST_PORT : hostPort + 1
    } while (this.connections.has(keyOf({ hostPort, guestPort })))
    const connection = this.add({ hostPort, guestPort }, fd, true)
    this.notices.add(connection, OP.REQUEST)
    this.send()
  }

  private add(ports: Ports, fd: number, requested: boolean): VsockConnection {
    const connection = new VsockConnection(ports.hostPort, ports.guestPort, fd, requested)
    this.connections.set(keyOf(ports), connection)
    this.counters.connections++
    return connection
  }

  /** What follows when the host's program has taken some, or all, of what the guest sent. */
  private afterFlush(connection: VsockConnection): void {
    if (connection.hasWaiting) {
      connection.watchWritable(this.context?.loop, () => {
        if (!connection.flush()) {
          this.abort(connection)
          this.send()
          return
        }
        if (connection.hasWaiting && !connection.roomToTell) return
        if (!connection.hasWaiting) connection.watchWritable(undefined, undefined)
        this.afterFlush(connection)
        this.send()
      })
    }
    if (connection.roomToTell) this.notices.add(connection, OP.CREDIT_UPDATE)
    if (connection.hasWaiting) return
    if (connection.guestShutdown === SHUTDOWN.BOTH) this.abort(connection)
    else if ((connection.guestShutdown & SHUTDOWN.SEND) !== 0) connection.endWriting()
  }

  // To the guest.

  private send(): void {
    const { context } = this
    const queue = context?.queues[QUEUE.RX]
    if (context === undefined || queue === undefined) return
    let sent = 0
    const wasFull = this.notices.full
    while (sent < TURN && (this.notices.length > 0 || this.ready.size > 0)) {
      const chain = queue.pop()
      if (chain === null) {
        // The rest waits where it is until the guest has room.
        if (queue.enableNotify()) continue
        break
      }
      if (chain.writableBytes <= HEADER_BYTES) {
        queue.undo(chain)
        this.fail('a buffer for packets is too short')
        return
      }
      const bytes = this.next(chain)
      if (bytes === 0) queue.undo(chain)
      else {
        queue.push(chain, bytes)
        sent++
      }
    }
    if (sent > 0) context.interrupt(QUEUE.RX)
    if (sent === TURN || (wasFull && !this.notices.full)) this.again()
  }

  /** Fills the chain with what comes next; 0 when there is nothing, or nothing now. */
  private next(chain: DescriptorChain): number {
    const notice = this.notices.take()
    if (notice !== undefined) {
      const credit = this.connections.get(keyOf(notice))?.creditToTell()
      return writeHeader(chain, this.cid, notice, credit)
    }
    const [connection] = this.ready
    if (connection === undefined) return 0
    this.ready.delete(connection)
    // With no credit the guest's next packet for this connection brings it back.
    const room = Math.min(chain.writableBytes - HEADER_BYTES, connection.credit, MAX_PAYLOAD)
    if (room === 0 || !connection.mayRead) return 0
    const moved = connection.receive(chain, HEADER_BYTES, room, this.iov)
    if (moved === 'later') {
      connection.watchReadable(this.context?.loop, () => {
        connection.watchReadable(undefined, undefined)
        this.ready.add(connection)
        this.send()
      })
      return 0
    }
    if (moved === 'end') this.hostEnds(connection)
    else if (moved === 'broken') this.abort(connection)
    if (typeof moved !== 'number') return 0
    // Behind the others.
    this.ready.add(connection)
    this.counters.rxBytes += moved
    const { hostPort, guestPort } = connection
    const header = { hostPort, guestPort, op: OP.RW, flags: 0 }
    return writeHeader(chain, this.cid, header, connection.creditToTell(), moved)
  }

  /** The host's program sends no more, or is gone. */
  private hostEnds(connection: VsockConnection): void {
    const gone = connection.hungUp
    const flags = gone ? SHUTDOWN.BOTH : SHUTDOWN.SEND
    if (connection.hostShutdown === flags) return
    connection.hostShutdown = flags
    this.notices.add(connection, OP.SHUTDOWN, flags)
    // The guest's answer, a reset, ends it; its socket is of no use until then.
    if (gone) connection.close()
    else this.watchHalfClosed()
  }

  /** Nothing wakes the loop when a program that had sent its last byte goes. */
  private watchHalfClosed(): void {
    this.halfClosed ??= this.context?.loop.after(HALF_CLOSED_MS, () => {
      this.halfClosed = undefined
      let left = false
      for (const connection of this.connections.values()) {
        if (connection.hostShutdown !== SHUTDOWN.SEND) continue
        if (connection.hungUp) this.hostEnds(connection)
        else left = true
      }
      this.send()
      if (left) this.watchHalfClosed()
    })
  }

  private refuse(ports: Ports): void {
    this.counters.refused++
    this.notices.add(ports, OP.RST)
  }

  /** Ends it on both sides, now. */
  private abort(connection: VsockConnection): void {
    this.drop(connection)
    this.notices.add(connection, OP.RST)
  }

  private drop(connection: VsockConnection): void {
    connection.close()
    this.ready.delete(connection)
    this.connections.delete(keyOf(connection))
  }

  private tellReset(): void {
    const queue = this.context?.queues[QUEUE.EVENT]
    if (!this.resetToTell || queue === undefined) return
    const chain = queue.pop()
    if (chain === null) {
      if (queue.enableNotify()) this.again()
      return
    }
    if (chain.writableBytes < EVENT_BYTES) {
      queue.push(chain, 0)
      this.fail('a buffer for events is too short')
      return
    }
    this.resetToTell = false
    chain.write(0, new Uint8Array(new Uint32Array([EVENT_TRANSPORT_RESET]).buffer))
    queue.push(chain, EVENT_BYTES)
    this.context?.interrupt(QUEUE.EVENT)
  }

  /** The driver broke the rules: nobody waits for it. */
  private fail(reason: string): void {
    const { context } = this
    this.reset()
    context?.fail(reason)
  }

  private again(): void {
    this.turn ??= this.context?.loop.after(0, () => {
      this.turn = undefined
      this.tellReset()
      this.take()
    })
  }
}
