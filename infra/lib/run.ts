import { type SpawnOptions, spawn } from 'node:child_process'

export interface Finished {
  readonly code: number
  /** The last lines of what it printed, both streams together: enough to explain a failure. */
  readonly tail: string
  readonly stdout: string
}

/** Runs a command to its end; `onLine` sees every line of both streams as it comes. Rejects only when it cannot start. */
export function run(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { onLine?: (line: string) => void } = {},
): Promise<Finished> {
  const { onLine, ...rest } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], ...rest })
    let stdout = ''
    let tail: string[] = []
    const follow = (stream: NodeJS.ReadableStream | null, keep: boolean): void => {
      let rest = ''
      stream?.setEncoding('utf8')
      stream?.on('data', (text: string) => {
        if (keep) stdout += text
        const lines = (rest + text).split(/[\r\n]+/)
        rest = lines.pop() ?? ''
        tail = [...tail, ...lines].slice(-30)
        for (const line of lines) onLine?.(line)
      })
      stream?.on('end', () => {
        if (rest) tail.push(rest)
      })
    }
    follow(child.stdout, true)
    follow(child.stderr, false)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      resolve({ code: code ?? (signal ? 128 : 1), tail: tail.join('\n').trim(), stdout })
    })
  })
}
