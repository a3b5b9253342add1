/** `hearth-vmm run`: turns the monitor's life into an exit code and one line on stderr. */
import { Monitor } from '../machine/monitor.ts'
import type { MachineWorkers } from '../machine/workers.ts'
import { EXIT, ExitError } from '../sys/exit-error.ts'
import { exitNow } from '../sys/libc.ts'
import { keepMemorySmall } from '../sys/thrift.ts'
import { parseRunOptions } from './options.ts'

export const say = (text: string): void => {
  process.stderr.write(`hearth-vmm: ${text}\n`)
}

/** `early`: see wait.ts. */
export async function runCommand(args: readonly string[], early?: MachineWorkers): Promise<number> {
  keepMemorySmall()
  const options = parseRunOptions(args)
  if (options.name !== undefined) process.title = `hearth-vmm ${options.name}`
  if (options.jail?.kind === 'none') {
    say('WARNING: --no-jail: a guest that breaks out of this process may do whatever its user may do.')
  }
  const monitor = new Monitor(options, say, early)
  // process.exit would wait for vCPU threads that sit in KVM_RUN and never listen; ending the process outright
  // is the only way out of a state nobody foresaw. The kernel gives everything back.
  process.on('uncaughtException', (error) => {
    if (process.stdin.isTTY) process.stdin.setRawMode(false)
    exitNow(reportError(error))
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => monitor.quit(signal))
  const end = await monitor.run()
  say(end.reason)
  return end.code
}

/** The exit code of an error, said on stderr. */
export function reportError(error: unknown): number {
  if (error instanceof ExitError) {
    say(error.message)
    return error.code
  }
  // The last line is the one that tells how it ended; where it went wrong comes before.
  if (error instanceof Error && error.stack !== undefined) process.stderr.write(`${error.stack}\n`)
  say(`internal error: ${error instanceof Error ? error.message : String(error)}`)
  return EXIT.internal
}
