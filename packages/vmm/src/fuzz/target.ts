/** One thing a hostile guest, file or peer can reach, built without a VM around it. */
export interface FuzzTarget {
  readonly name: string
  /** What it stands for, one line. */
  readonly about: string
  /** Inputs worth beginning with; the ones kept in `corpus/<name>` come on top. */
  readonly seeds?: readonly Uint8Array[]
  /** Inputs in `npm test`, so that all targets together take seconds. */
  readonly runsInTest: number
  /**
   * Does what `input` says and checks what must hold whatever it says. Returning means that it held; anything thrown
   * is a finding. Leaves nothing behind.
   */
  run(input: Uint8Array): void
  /** Gives back what the target keeps between runs. */
  close?(): void
}
