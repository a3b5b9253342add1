/**
 * The tests that need real virtualisation: monitor and agent, run inside one lab host (infra/lab/shared.ts). All
 * files share this one process, and with it the lab.
 */
import { glob } from 'node:fs/promises'
import { inRepository, repository } from '../lib/paths.ts'
import { runNodeTests, type Tally } from './node-tests.ts'

export async function runLabTests(): Promise<Tally> {
  const files: string[] = []
  for await (const file of glob('{packages,apps,infra}/**/*.lab.test.ts', {
    cwd: repository,
    exclude: (name) => name.includes('node_modules'),
  })) {
    files.push(inRepository(file))
  }
  return runNodeTests('lab tests', files.sort(), { concurrency: 1, isolation: 'none', timeoutMs: 900_000 })
}
