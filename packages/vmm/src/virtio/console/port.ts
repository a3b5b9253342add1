import type { Registration } from '../../io/event-loop.ts'
import { type DescriptorChain, IovecList } from '../chain.ts'
import type { VirtioContext } from '../device.ts'
import type { PortListener, PortSocket } from './port-socket.ts'
import { rxQueue, txQueue } from './protocol.ts'

/** Chains moved in one turn of the loop: after that the thread's other devices come first. */
const TURN = 64
/** What is taken from the socket at once, however large the guest's buffer. */
const MAX_BYTES = 64 * 1024

/** One port between a program of the host and one of the guest. What either sends while the other is away is lost. */
export class ConsolePort implements PortListener {
  readonly id: number
  readonly name: string
  readonly counters = { rxBytes: 0, txBytes: 0 }
  /** Whether a program of the guest has it open. */
  guestOpen = false
  private readonly socket: PortSocket
  private readonly openChanged: (port: ConsolePort, open: boolean) => void
  private readonly iov = new IovecList(16)
  private readonly waste = new IovecList(1)
  private context: VirtioContext | undefined
  /** A chain of the guest's that the socket took only a part of. */
  private stuck: DescriptorChain | undefined
  private sent = 0
  private turn: Registration | undefined

  /** `wasteAddress` is memory of `MAX_BYTES` for what nobody wants. `openChanged` is told when the host comes or goes. */
  constructor(
    id: number,
    name: string,
    socket: PortSocket,
    wasteAddress: number,
    openChanged: (port: ConsolePort, open: boolean) => void,
  ) {
    this.id = id
    this.name = name
    this.socket = socket
    this.openChanged = openChanged
    this.waste.set(0, wasteAddress, MAX_BYTES)
  }

  get hostOpen(): boolean {
    return this.socket.connected
  }

  start(context: VirtioContext): void {
    this.context = context
    this.socket.start(context.loop, this)
  }

  setGuestOpen(open: boolean): void {
    this.guestOpen = open
    this.receive()
  }

  connected(on: boolean): void {
    this.openChanged(this, on)
    if (on) this.socket.watchReadable(true)
    else this.transmit()
  }

  readable(): void {
    this.receive()
  }

  writable(): void {
    this.socket.watchWritable(false)
    this.transmit()
  }

  /** From the host to the guest. */
  receive(): void {
    const { context, socket } = this
    const queue = context?.queues[rxQueue(this.id)]
    if (context === undefined || queue === undefined || !socket.connected) return
    let moved = 0
    for (; moved < TURN && this.guestOpen; moved++) {
      const chain = queue.pop()
      if (chain === null) {
        // The rest waits in the socket until the guest has room again.
        socket.watchReadable(false)
        if (queue.enableNotify()) continue
        break
      }
      const count = chain.iovec(true, 0, Math.min(MAX_BYTES, chain.writableBytes), this.iov, 0)
      const bytes = count === 0 ? 0 : socket.receive(this.iov, count)
      if (bytes === 0) {
        queue.undo(chain)
        socket.watchReadable(true)
        break
      }
      queue.push(chain, bytes)
      this.counters.rxBytes += bytes
    }
    if (moved > 0) context.interrupt(rxQueue(this.id))
    if (moved === TURN) this.turn ??= context.loop.after(0, () => this.nextTurn())
    if (!this.guestOpen) {
      socket.watchReadable(true)
      socket.receive(this.waste, 1)
    }
  }

  /** From the guest to the host. */
  transmit(): void {
    const { context, socket } = this
    const queue = context?.queues[txQueue(this.id)]
    if (context === undefined || queue === undefined) return
    let moved = 0
    for (; moved < TURN; moved++) {
      const chain = this.stuck ?? queue.pop()
      if (chain === null) break
      const rest = chain.readableBytes - this.sent
      if (socket.connected && rest > 0) {
        const count = chain.iovec(false, this.sent, rest, this.iov, 0)
        const bytes = socket.send(this.iov, Math.min(count, 1024))
        this.counters.txBytes += bytes
        this.sent += bytes
        if (this.sent < chain.readableBytes && socket.connected) {
          this.stuck = chain
          socket.watchWritable(true)
          break
        }
      }
      this.stuck = undefined
      this.sent = 0
      queue.push(chain, 0)
    }
    if (moved > 0) context.interrupt(txQueue(this.id))
    if (moved === TURN || (this.stuck === undefined && queue.enableNotify())) {
      this.turn ??= context.loop.after(0, () => this.nextTurn())
    }
  }

  /** A chain under way goes back as if never taken: a snapshot's other side has another program at the socket. */
  giveBack(): void {
    if (this.stuck !== undefined) this.context?.queues[txQueue(this.id)]?.undo(this.stuck)
    this.stuck = undefined
    this.sent = 0
  }

  stop(): void {
    this.turn?.remove()
    this.turn = undefined
    this.socket.stop()
    this.context = undefined
    this.stuck = undefined
    this.sent = 0
    this.guestOpen = false
  }

  private nextTurn(): void {
    this.turn = undefined
    this.receive()
    this.transmit()
  }
}

export const WASTE_BYTES = MAX_BYTES
