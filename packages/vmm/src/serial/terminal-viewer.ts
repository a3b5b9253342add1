/** The serial port on this process's own terminal. On a TTY the terminal is raw, so every key but Ctrl-A reaches the guest. */
import type { SerialHub } from './hub.ts'

const CTRL_A = 1
const QUIT_KEYS = [0x78, 0x58] // x, X

/** Finds Ctrl-A x (quit) and Ctrl-A Ctrl-A (one Ctrl-A) in what is typed. */
export class EscapeKeys {
  private pending = false

  /** What the guest gets, and whether to quit. */
  filter(typed: Uint8Array): { input: Uint8Array; quit: boolean } {
    const input: number[] = []
    for (const key of typed) {
      if (!this.pending) {
        if (key === CTRL_A) this.pending = true
        else input.push(key)
        continue
      }
      this.pending = false
      if (QUIT_KEYS.includes(key)) return { input: Uint8Array.from(input), quit: true }
      input.push(CTRL_A)
      if (key !== CTRL_A) input.push(key)
    }
    return { input: Uint8Array.from(input), quit: false }
  }
}

export interface TerminalViewer {
  /** Gives the terminal back, after what was written has gone out (for a bounded time). */
  close(): Promise<void>
}

export function attachTerminal(hub: SerialHub, quit: () => void): TerminalViewer {
  const { stdin, stdout } = process
  const raw = stdin.isTTY === true
  if (raw) stdin.setRawMode(true)
  const handle = hub.attach({ write: (bytes) => stdout.write(bytes) })
  stdout.on('drain', () => handle.resume())
  // A reader that went away must not end the machine.
  stdout.on('error', () => handle.detach())
  const keys = new EscapeKeys()
  stdin.on('data', (chunk: Buffer) => {
    const { input, quit: wanted } = raw ? keys.filter(chunk) : { input: chunk, quit: false }
    if (wanted) return quit()
    stdin.pause()
    hub.send(input, () => stdin.resume())
  })
  stdin.on('error', () => {})
  return {
    async close() {
      const deadline = Date.now() + 1000
      while ((!handle.caughtUp || stdout.writableLength > 0) && !stdout.destroyed && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      handle.detach()
      if (raw) stdin.setRawMode(false)
      stdin.pause()
    },
  }
}
