/** `hearth-agent`: one per box. Everything it does lives in the modules beside this one. */

import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { HearthError } from '@hearth/shared/errors'
import { refuseHugePages } from '@hearth/vmm'
import { Agent } from './agent.ts'
import { protectAgent } from './host/out-of-memory.ts'
import { createLog, errorText } from './log.ts'
import { type AgentOptions, parseOptions, UsageError, usage } from './options.ts'
import { startServer } from './server/agent-server.ts'

const log = createLog()

function fail(message: string): never {
  process.stderr.write(`hearth-agent: ${message}\n`)
  process.exit(1)
}

function readOptions(): AgentOptions {
  const argv = process.argv.slice(2)
  if (argv.includes('--help')) {
    process.stdout.write(`${usage}\n`)
    process.exit(0)
  }
  try {
    return parseOptions(argv)
  } catch (error) {
    if (error instanceof UsageError) fail(error.message)
    throw error
  }
}

/**
 * Two agents on one state folder would destroy each other's VMs. An abstract unix socket is held by the kernel
 * for as long as this process lives and by nothing afterwards (unix(7)).
 */
function lockState(state: string): Promise<void> {
  const name = `\0hearth-agent-${createHash('sha256').update(state).digest('hex').slice(0, 32)}`
  return new Promise((resolve, reject) => {
    const holder = createServer((socket) => socket.destroy())
    holder.unref()
    holder.once('error', reject)
    holder.listen(name, () => resolve())
  })
}

// Whatever makes it end is the log's last line, unless the kernel killed it.
process.on('exit', (code) => log.info('agent ends', { code, pid: process.pid }))

const options = readOptions()
await lockState(options.state).catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE') fail(`another agent is already running on ${options.state}`)
  throw error
})

// Monitors inherit it: by the time one of them could say so itself, Node has taken 4 MiB of them.
refuseHugePages()
protectAgent()

const agent = new Agent(options, log)
try {
  await agent.start()
  const server = await startServer({ agent, listen: options.listen, token: options.token, log })
  log.info('agent is up', {
    listen: `${options.listen.host}:${server.port}`,
    kind: options.kind,
    pid: process.pid,
  })

  let ending = false
  const end = async (signal: string) => {
    if (ending) return
    ending = true
    log.info('agent is asked to end', { signal })
    await server.close()
    await agent.stop()
    process.exit(0)
  }
  process.on('SIGTERM', () => void end('SIGTERM'))
  process.on('SIGINT', () => void end('SIGINT'))
} catch (error) {
  // What was brought up for nothing goes down again; VMs that run stay.
  await agent.stop().catch(() => undefined)
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'EADDRINUSE' || code === 'EACCES')
    fail(
      `cannot listen on ${options.listen.host}:${options.listen.port}: ${errorText(error)}. Choose another --listen.`,
    )
  // The first text says it all; a HearthError's cause is already in it.
  fail(error instanceof HearthError ? error.message : errorText(error))
}

process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error: errorText(error) }))
