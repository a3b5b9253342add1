/** Run by hearth-guests.service when the box goes down: VMs shut down by ACPI, then off. They start again with the box. */
import { parseArgs } from 'node:util'
import { AgentClient } from '../start/agent-client.ts'
import { readSecret } from '../start/state.ts'

const values = parseArgs({
  options: { url: { type: 'string' }, 'token-file': { type: 'string' }, seconds: { type: 'string' } },
}).values
const { url, 'token-file': tokenFile, seconds } = values
if (!url || !tokenFile || !seconds) {
  process.stderr.write('hearth: --url, --token-file and --seconds are needed.\n')
  process.exit(1)
}
setTimeout(
  () => {
    process.stderr.write('hearth: the agent does not answer; what runs is left to the end of the box.\n')
    process.exit(1)
  },
  (Number(seconds) + 20) * 1000,
).unref()
const agent = new AgentClient(url, await readSecret(tokenFile))
const { stopped, forced } = await agent.shutdownGuests(Number(seconds) * 1000)
process.stdout.write(`${stopped} VMs shut down, ${forced} powered off\n`)
agent.close()
