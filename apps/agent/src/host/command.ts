/** Running the host's own tools (ip, nft, cp, genisoimage): no shell, bounded output, an error that names them. */
import { spawn } from 'node:child_process'

class CommandError extends Error {
  readonly exitCode: number | null

  constructor(message: string, exitCode: number | null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

const maxOutput = 1024 * 1024

/** Debian keeps ip, nft and dnsmasq where an ordinary user's PATH does not look. */
const toolEnvironment = {
  PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
  LANG: 'C.UTF-8',
}

/** Runs to the end and returns stdout; throws CommandError with the last of stderr when it fails. */
export function run(
  command: string,
  args: string[],
  options: { input?: string; signal?: AbortSignal } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: toolEnvironment,
      ...(options.signal ? { signal: options.signal } : {}),
    })
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (stdout.length < maxOutput) stdout += chunk
    })
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-4096)
    })
    child.once('error', (error) => reject(new CommandError(`${command}: ${error.message}`, null, error)))
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout)
      else {
        const how = signal ? `killed by ${signal}` : `exit code ${code}`
        reject(new CommandError(`${command} ${args.join(' ')}: ${how}: ${stderr.trim()}`, code))
      }
    })
    if (options.input !== undefined) {
      // A tool that ends before it read everything says why on stderr; the broken pipe adds nothing.
      child.stdin?.on('error', () => undefined)
      child.stdin?.end(options.input)
    }
  })
}
