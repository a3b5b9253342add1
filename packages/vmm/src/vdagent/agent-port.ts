import type { EventLoop } from '../io/event-loop.ts'
import type { DescriptorChain } from '../virtio/chain.ts'
import type { PortEnd, PortListener } from '../virtio/console/port-end.ts'
import { type AgentChannel, MAX_RECORD } from './channel.ts'

/** The agent port's host end on the thread that owns the console device: the display thread is always there. */
export class AgentPort implements PortEnd {
  private readonly channel: AgentChannel
  private listener: PortListener | undefined
  private wantsReadable = false
  private wantsWritable = false
  /** What of the last record did not fit the guest's buffer, and whose it was. */
  private rest: { epoch: number; bytes: Uint8Array } | undefined

  constructor(channel: AgentChannel) {
    this.channel = channel
  }

  readonly connected = true

  start(_loop: EventLoop, listener: PortListener): void {
    this.listener = listener
    this.wantsReadable = true
  }

  receive(chain: DescriptorChain): number {
    const { channel } = this
    const { epoch } = channel
    const kept = this.rest?.epoch === epoch ? this.rest.bytes : null
    this.rest = undefined
    const bytes = kept ?? channel.takeToGuest()
    if (bytes === null) return 0
    const written = chain.write(0, bytes)
    if (written < bytes.length) this.rest = { epoch, bytes: bytes.subarray(written) }
    return written
  }

  send(chain: DescriptorChain, offset: number): number {
    const bytes = new Uint8Array(Math.min(MAX_RECORD, chain.readableBytes - offset))
    const count = chain.read(offset, bytes)
    // Whoever has not opened the port has nothing to say.
    if (!this.channel.guestOpen) return count
    return this.channel.putToHost(bytes.subarray(0, count)) ? count : 0
  }

  discard(): void {
    this.rest = undefined
    while (this.channel.takeToGuest() !== null) {
      // Until there is nothing.
    }
  }

  watchReadable(on: boolean): void {
    this.wantsReadable = on
  }

  watchWritable(on: boolean): void {
    this.wantsWritable = on
  }

  guestOpened(open: boolean): void {
    this.channel.setGuestOpen(open)
  }

  stop(): void {
    this.listener = undefined
    this.channel.setGuestOpen(false)
    this.rest = undefined
  }

  /** The display thread put something there, or took something. */
  woken(): void {
    if (this.wantsReadable) this.listener?.readable()
    if (this.wantsWritable && this.channel.hasRoomToHost) this.listener?.writable()
  }
}
