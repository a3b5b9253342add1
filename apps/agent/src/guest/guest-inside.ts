/** What the agent inside a guest is asked, where there is one; most guests have one some time after their start, some never. */
import { GuestAddresses } from './guest-addresses.ts'
import { GuestAgent } from './guest-agent.ts'

export class GuestInside {
  readonly #agent: GuestAgent
  readonly #addresses: GuestAddresses
  readonly #warn: (what: string, error: unknown) => void

  /** `socket`: the host's end of the guest agent's port. */
  constructor(socket: string, warn: (what: string, error: unknown) => void) {
    this.#agent = new GuestAgent(socket)
    this.#addresses = new GuestAddresses(this.#agent)
    this.#warn = warn
  }

  /** The addresses it told last. */
  get addresses(): readonly string[] {
    return this.#addresses.told
  }

  /** Asks for them once more, or forgets them when it does not run. Resolves with whether something changed. */
  askAddresses(mac: string, running: boolean): Promise<boolean> {
    return this.#addresses.ask(mac, running)
  }

  /** For a guest that does not listen to the power button. Whether one has an agent shows only by asking. */
  async shutDown(): Promise<void> {
    await this.#agent.shutdown().catch(() => undefined)
  }

  /** Whether an agent answered when it was last asked. */
  get answers(): boolean {
    return this.#addresses.answered
  }

  /** Has its file systems written out and held still. False: they may be or not; `thaw` has to be called in any case. */
  freeze(): Promise<boolean> {
    return this.#succeeds(this.#agent.freeze(), 'a guest does not hold its file systems still')
  }

  /** Lets its file systems go on; in vain when it is no longer there. */
  thaw(isThere: () => boolean): Promise<boolean> {
    return this.#succeeds(this.#agent.thaw(isThere), 'a guest does not let its file systems go on')
  }

  async #succeeds(call: Promise<void>, warning: string): Promise<boolean> {
    try {
      await call
      return true
    } catch (error) {
      this.#warn(warning, error)
      return false
    }
  }
}
