import { spawn } from 'node:child_process'
import readline from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface ShowcaseProcess {
  readonly url: string
  readonly setupUrl: string
  readonly email: string
  readonly password: string
  /** Ids of its VMs by name. */
  readonly vms: Readonly<Record<string, number>>
  /** `away`, `back` (the agent), `step MS`; resolves when it is done. */
  tell(line: string): Promise<void>
  stop(): Promise<void>
}

/** A portal of its own with pages, a real database and a stand-in agent, filled as a home is after some weeks. */
export async function startShowcase(kind: 'full' | 'empty' | 'setup'): Promise<ShowcaseProcess> {
  const main = fileURLToPath(new URL('../../apps/web/server/testing/showcase/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, kind], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const lines = readline.createInterface({ input: child.stdout })
  const said: unknown[] = []
  let wake = () => {}
  lines.on('line', (line) => {
    if (!line.startsWith('{')) return
    said.push(JSON.parse(line))
    wake()
  })
  const next = async (): Promise<unknown> => {
    while (said.length === 0) {
      await Promise.race([
        new Promise<void>((resolve) => {
          wake = resolve
        }),
        ended.then(() => Promise.reject(new Error('The showcase ended; its own words are above.'))),
      ])
    }
    return said.shift()
  }
  const first = (await next()) as Omit<ShowcaseProcess, 'tell' | 'stop'>
  return {
    ...first,
    async tell(line) {
      child.stdin.write(`${line}\n`)
      await next()
    },
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
