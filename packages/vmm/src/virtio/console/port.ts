import type { Registration } from '../../io/event-loop.ts'
import type { DescriptorChain } from '../chain.ts'
import type { VirtioContext } from '../device.ts'
import type { PortEnd, PortListener } from './port-end.ts'
import { rxQueue, txQueue } from './protocol.ts'

/** Chains moved in one turn of the loop: after that the thread's other devices come first. */
const TURN = 64

/** One port between a program of the host and one of the guest. What either sends while the other is away is lost. */
export class ConsolePort implements PortListener {
  readonly id: number
  readonly name: string
  readonly counters = { rxBytes: 0, txBytes: 0 }
  /** Whether a program of the guest has it open. */
  guestOpen = false
  private readonly end: PortEnd
  private readonly openChanged: (port: ConsolePort, open: boolean) => void
  private context: VirtioContext | undefined
  /** A chain of the guest's that the host took only a part of. */
  private stuck: DescriptorChain | undefined
  private sent = 0
  private turn: Registration | undefined

  /** `openChanged` is told when the host comes or goes. */
  constructor(
    id: number,
    name: string,
    end: PortEnd,
    openChanged: (port: ConsolePort, open: boolean) => void,
  ) {
    this.id = id
    this.name = name
    this.end = end
    this.openChanged = openChanged
  }

  get hostOpen(): boolean {
    return this.end.connected
  }

  start(context: VirtioContext): void {
    this.context = context
    this.end.start(context.loop, this)
  }

  setGuestOpen(open: boolean): void {
    this.guestOpen = open
    this.end.guestOpened(open)
    this.receive()
  }

  connected(on: boolean): void {
    this.openChanged(this, on)
    if (on) this.end.watchReadable(true)
    else this.transmit()
  }

  readable(): void {
    this.receive()
  }

  writable(): void {
    this.end.watchWritable(false)
    this.transmit()
  }

  /** From the host to the guest. */
  receive(): void {
    const { context, end } = this
    const queue = context?.queues[rxQueue(this.id)]
    if (context === undefined || queue === undefined || !end.connected) return
    let moved = 0
    for (; moved < TURN && this.guestOpen; moved++) {
      const chain = queue.pop()
      if (chain === null) {
        // The rest waits where it is until the guest has room again.
        end.watchReadable(false)
        if (queue.enableNotify()) continue
        break
      }
      const bytes = end.receive(chain)
      if (bytes === 0) {
        queue.undo(chain)
        end.watchReadable(true)
        break
      }
      queue.push(chain, bytes)
      this.counters.rxBytes += bytes
    }
    if (moved > 0) context.interrupt(rxQueue(this.id))
    if (moved === TURN) this.turn ??= context.loop.after(0, () => this.nextTurn())
    if (!this.guestOpen) {
      end.watchReadable(true)
      end.discard()
    }
  }

  /** From the guest to the host. */
  transmit(): void {
    const { context, end } = this
    const queue = context?.queues[txQueue(this.id)]
    if (context === undefined || queue === undefined) return
    let moved = 0
    for (; moved < TURN; moved++) {
      const chain = this.stuck ?? queue.pop()
      if (chain === null) break
      const rest = chain.readableBytes - this.sent
      if (end.connected && rest > 0) {
        const bytes = end.send(chain, this.sent)
        this.counters.txBytes += bytes
        this.sent += bytes
        if (this.sent < chain.readableBytes && end.connected) {
          this.stuck = chain
          end.watchWritable(true)
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
    this.end.stop()
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
