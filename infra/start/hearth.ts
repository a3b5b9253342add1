/** `npm run hearth -- COMMAND`: the command line of the portal, with the state folder `npm start` would take. */
import { spawnSync } from 'node:child_process'
import { generateDatabaseClient } from '../build/portal.ts'
import { inRepository } from '../lib/paths.ts'
import { defaultState } from './options.ts'

await generateDatabaseClient()
const { status } = spawnSync(
  process.execPath,
  [inRepository('apps/web/server/cli.ts'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, HEARTH_DEFAULT_STATE: defaultState() },
  },
)
process.exitCode = status ?? 1
