import type { GuestAgent } from './guest-agent.ts'

/** The addresses a guest's agent tells of the VM's own card. */
export class GuestAddresses {
  readonly #agent: GuestAgent
  #told: readonly string[] | null = null
  #asking = false

  constructor(agent: GuestAgent) {
    this.#agent = agent
  }

  /** Whether an agent answered when it was last asked. */
  get answered(): boolean {
    return this.#told !== null
  }

  /** What was told last; empty while no agent answers. */
  get told(): readonly string[] {
    return this.#told ?? []
  }

  /**
   * Asks once more, or forgets what was told when the guest does not run. Resolves with whether something changed. Never
   * rejects: most guests have an agent some time after their start, some never.
   */
  async ask(mac: string, running: boolean): Promise<boolean> {
    if (this.#asking) return false
    this.#asking = true
    const says = running ? await this.#agent.addresses(mac).catch(() => null) : null
    this.#asking = false
    const changed = String(says) !== String(this.#told)
    this.#told = says
    return changed
  }
}
