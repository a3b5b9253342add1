/** The shell on the serial console of a Tiny Linux, for `*.lab.test.ts`. */
import type { VmSpec } from '@hearth/shared/vm-spec'
import { openConsole, until, type Viewer } from './agent-harness.ts'
import { slow } from './agent-in-lab.ts'

export class GuestShell {
  readonly #viewer: Viewer
  #asked = 0

  private constructor(viewer: Viewer) {
    this.#viewer = viewer
  }

  /** Waits until it is there; `port` is the agent's. */
  static async open(port: number, { vmUid, name }: VmSpec): Promise<GuestShell> {
    const shell = new GuestShell(openConsole(port, vmUid))
    await shell.#until('the shell', () => shell.text.includes(`${name}:/root# `), 3 * slow)
    return shell
  }

  /** Everything that came so far, from the boot on. */
  get text(): string {
    return this.#viewer.text()
  }

  /** What a command says. */
  async ask(command: string): Promise<string> {
    const from = this.text.length
    const mark = `done-${++this.#asked}`
    // Split, so that the echo of the line is not taken for the answer.
    this.#viewer.socket.send(
      Buffer.from(`echo beg''ins; ${command}; echo ${mark.slice(0, 2)}''${mark.slice(2)}\n`),
    )
    const answer = new RegExp(`begins\\r?\\n([\\s\\S]*?)${mark}`)
    const match = await this.#until(`an answer to ${command}`, () => answer.exec(this.text.slice(from)), slow)
    return match[1]!.replaceAll('\r', '').trim()
  }

  close(): void {
    this.#viewer.socket.close()
  }

  #until<T>(what: string, condition: () => T, timeoutMs: number): Promise<NonNullable<T>> {
    return until(what, condition, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.text.slice(-2000)}`)
    })
  }
}
