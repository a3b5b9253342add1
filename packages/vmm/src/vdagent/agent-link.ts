import type { AgentChannel } from './channel.ts'
import { VdAgent, type VdAgentOptions } from './vdagent.ts'

/** Records worked off before viewers get their turn again. */
const TURN = 64
/** Milliseconds between two texts of the guest's that viewers are offered. */
const OFFER_INTERVAL = 200

/** The display thread's end of the channel, with the agent protocol on it. */
export class AgentLink {
  readonly agent: VdAgent
  private readonly channel: AgentChannel
  private readonly wakeDevices: () => void
  private readonly tell: (text: string) => void
  private epoch = 0
  private closed = false
  private latest: string | null = null
  private pause: NodeJS.Timeout | null = null

  /** `wakeDevices` has the I/O thread look at the channel. */
  constructor(channel: AgentChannel, wakeDevices: () => void, options: Omit<VdAgentOptions, 'send'>) {
    this.channel = channel
    this.wakeDevices = wakeDevices
    this.tell = options.copied
    this.agent = new VdAgent({
      ...options,
      copied: (text) => this.copied(text),
      send: (bytes) => {
        if (!channel.putToGuest(this.epoch, bytes)) return false
        wakeDevices()
        return true
      },
    })
    this.listen()
  }

  close(): void {
    this.closed = true
  }

  private listen(): void {
    if (this.closed) return
    const seen = this.channel.signalled
    if (this.poll()) setImmediate(() => this.listen())
    else this.channel.onSignal(seen, () => this.listen())
  }

  /** Works off what came; true when there may be more. */
  private poll(): boolean {
    const { channel, agent } = this
    this.follow(channel.epoch)
    let taken = 0
    for (; taken < TURN; taken++) {
      const record = channel.takeToHost()
      if (record === null) break
      // Opened since we looked: its bytes came with it.
      if (((record.epoch - this.epoch) | 0) > 0) this.follow(record.epoch)
      if (record.epoch === this.epoch) agent.receive(record.bytes)
    }
    // What was taken made room.
    if (taken > 0) this.wakeDevices()
    agent.flush()
    return taken === TURN
  }

  private follow(epoch: number): void {
    if (epoch === this.epoch) return
    this.epoch = epoch
    this.agent.opened((epoch & 1) !== 0)
  }

  /** A guest that copies without end makes one offer in a while, and its last text is the one that stays. */
  private copied(text: string): void {
    this.latest = text
    if (this.pause !== null) return
    const tell = (): void => {
      this.pause = null
      const { latest } = this
      this.latest = null
      if (latest === null || this.closed) return
      this.tell(latest)
      this.pause = setTimeout(tell, OFFER_INTERVAL)
      this.pause.unref()
    }
    tell()
  }
}
