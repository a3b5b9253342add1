/** Run by hearth-portal.service before each start: makes the certificate, or renews it before it ends. */
import { parseArgs } from 'node:util'
import { Trouble } from '../lib/steps.ts'
import { stateRooms } from '../start/state.ts'
import { ensureTls } from '../start/tls.ts'

const { state, hostname, listen } = parseArgs({
  options: { state: { type: 'string' }, hostname: { type: 'string' }, listen: { type: 'string' } },
}).values
try {
  if (!state || !hostname || !listen) throw new Trouble('--state, --hostname and --listen are needed.')
  await ensureTls(stateRooms(state), hostname, listen)
} catch (error) {
  process.stderr.write(`hearth: ${(error as Error).message}\n`)
  process.exitCode = 1
}
