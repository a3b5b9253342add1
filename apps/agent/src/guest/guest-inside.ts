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

  /**
   * Has its file systems written out and held still, where an agent answers. `frozen` tells whether they are; `thaw` has
   * to be called in any case.
   */
  async freezeFileSystems(): Promise<{ frozen: boolean; thaw: () => Promise<void> }> {
    if (!this.#addresses.answered) return { frozen: false, thaw: async () => undefined }
    const frozen = await this.#agent.freeze().then(
      () => true,
      (error: unknown) => {
        this.#warn('a guest does not hold its file systems still', error)
        return false
      },
    )
    const thaw = () =>
      this.#agent
        .thaw()
        .catch((error: unknown) => this.#warn('a guest does not let its file systems go on', error))
    return { frozen, thaw }
  }
}
