import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Our display thread in a process of its own, with the painter beside it; see stub.ts. */
export interface HearthServer {
  readonly pid: number
  readonly socketPath: string
  /** Resolves when the scene is over; `begun` is called after its first picture has settled. */
  run(scene: number, seconds: number, begun: () => void): Promise<void>
  stop(): Promise<void>
}

export async function startHearth(folder: string): Promise<HearthServer> {
  const socketPath = path.join(folder, 'display')
  const stub = fileURLToPath(new URL('stub.ts', import.meta.url))
  const child = spawn(process.execPath, [stub, socketPath], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const expect = async (wanted: string): Promise<void> => {
    const { value } = await lines.next()
    if (value !== wanted) throw new Error(`the display's stub ended: ${value}`)
  }
  await expect('ready')
  return {
    pid: child.pid!,
    socketPath,
    async run(scene, seconds, begun) {
      child.stdin.write(`${scene} ${seconds}\n`)
      await expect('begun')
      begun()
      await expect('done')
    },
    async stop() {
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}
