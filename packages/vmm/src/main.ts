#!/usr/bin/env node
import { reportError, runCommand } from './cli/run.ts'
/** The program `hearth-vmm`. */
import { USAGE } from './cli/usage.ts'
import { waitCommand } from './cli/wait.ts'
import { usageError } from './sys/exit-error.ts'
import { exitNow } from './sys/libc.ts'

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
  if (command === undefined)
    throw usageError('say what to do: hearth-vmm run --kernel FILE … (see hearth-vmm --help)')
  if (command === '--help' || command === '-h' || command === 'help' || rest[0] === '--help') {
    process.stdout.write(USAGE)
    return 0
  }
  if (command === 'wait') return waitCommand()
  if (command !== 'run') {
    throw usageError(`there is no command "${command}": use run or wait (see hearth-vmm --help)`)
  }
  return runCommand(rest)
}

// Not process.exit: that joins worker threads, and waits for ever should one of them still sit in KVM_RUN.
exitNow(await main(process.argv.slice(2)).catch(reportError))
