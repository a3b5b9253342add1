import { spawn } from 'node:child_process'
import readline from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from '@playwright/test'

export interface PaintedScreenState {
  /** What the VM's keyboard (scancodes, `+1e` pressed, `-1e` let go) and pointer heard since the last answer. */
  readonly events: string[]
  readonly size: { readonly width: number; readonly height: number }
}

export interface PaintedPortal {
  readonly url: string
  readonly vmId: number
  readonly password: string
  tell(line: string): Promise<PaintedScreenState>
  /** What the VM's inputs heard since the last look, once it matches. */
  heard(pattern: RegExp): Promise<string>
  stop(): Promise<void>
}

/** A portal whose VM `studio` has a screen that the test paints; see ../painted/painted-portal.ts for the commands. */
export async function startPaintedPortal(): Promise<PaintedPortal> {
  const main = fileURLToPath(new URL('../painted/painted-portal.ts', import.meta.url))
  const child = spawn(process.execPath, [main], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error('The painted portal ended; its own words are above.')
      // Next says what it does on the same stream.
      if (value.startsWith('{')) return JSON.parse(value)
    }
  }
  const first = (await next()) as Pick<PaintedPortal, 'url' | 'vmId' | 'password'>
  const tell = async (line: string): Promise<PaintedScreenState> => {
    child.stdin.write(`${line}\n`)
    return (await next()) as PaintedScreenState
  }
  return {
    ...first,
    tell,
    async heard(pattern) {
      let all = ''
      await expect
        .poll(async () => {
          all += `${(await tell('state')).events.join(' ')} `
          return all
        })
        .toMatch(pattern)
      return all
    },
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
