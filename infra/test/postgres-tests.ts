/**
 * The portal's rules once more, on a real PostgreSQL: quota with fifty at once, actions and their idempotency, search,
 * sign-in. The rest of the unit tests runs on SQLite only; what they touch of the database is the same code.
 */
import { startPostgres } from '../../apps/web/server/testing/postgres-server.ts'
import { makeTemplate } from '../../apps/web/server/testing/test-database.ts'
import { inRepository } from '../lib/paths.ts'
import { runNodeTests } from './node-tests.ts'
import type { Tally } from './tally.ts'

const files = ['services/quota', 'services/vm', 'services/activity', 'services/volumes', 'auth/auth']

export async function runPostgresTests(): Promise<Tally> {
  const server = await startPostgres()
  try {
    const address = server.url('postgres')
    await makeTemplate(address)
    process.env.HEARTH_TEST_POSTGRES = address
    const paths = files.map((file) => inRepository('apps/web/server', `${file}.test.ts`))
    return await runNodeTests('the portal’s rules on PostgreSQL', paths, { concurrency: 2 })
  } finally {
    delete process.env.HEARTH_TEST_POSTGRES
    await server.stop()
  }
}
