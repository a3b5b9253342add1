/** Builds the portal's pages (next build) and generates its database client, each only when its sources changed. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { contentHash } from '../lib/content-hash.ts'
import { inRepository, repository } from '../lib/paths.ts'
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'
import { packFiles } from './pack.ts'

/** Generates the Prisma clients, for SQLite and PostgreSQL. Returns false when they were there already. */
export function generateDatabaseClient(): Promise<boolean> {
  return once(
    {
      result: inRepository('apps/web/server/generated'),
      sources: [
        'prisma/schema.prisma',
        'prisma/package.json',
        'package-lock.json',
        'apps/web/server/db/generate.ts',
        'apps/web/server/db/provider-schema.ts',
      ],
    },
    async () => {
      const result = await run(process.execPath, [inRepository('apps/web/server/db/generate.ts')], {
        cwd: repository,
      })
      if (result.code !== 0) throw new Trouble(`Generating the database client failed:\n${result.tail}`)
    },
  )
}

/** Runs `next build`. Returns false when the pages were built already. */
export function buildPages(onLine: (line: string) => void): Promise<boolean> {
  return once(
    {
      result: inRepository('apps/web/.next'),
      sources: [
        'apps/web/src',
        'apps/web/public',
        'apps/web/next.config.ts',
        'apps/web/postcss.config.mjs',
        'apps/web/tsconfig.json',
        'apps/web/package.json',
        'infra/build/pack.ts',
        'packages/shared/src',
        'package-lock.json',
      ],
    },
    async () => {
      const result = await run(process.execPath, [inRepository('node_modules/next/dist/bin/next'), 'build'], {
        cwd: inRepository('apps/web'),
        env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' },
        onLine,
      })
      if (result.code !== 0) throw new Trouble(`Building the portal's pages failed:\n${result.tail}`)
      await packFiles(inRepository('apps/web/.next/static'))
    },
  )
}

/** Runs `make` unless `result` was made from the same `sources` before; the stamp lies inside the result. */
async function once(
  { result, sources }: { result: string; sources: readonly string[] },
  make: () => Promise<void>,
): Promise<boolean> {
  const stamp = path.join(result, '.hearth-made-from')
  const wanted = contentHash(repository, sources, process.version)
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return false
  await make()
  await mkdir(result, { recursive: true })
  await writeFile(stamp, wanted)
  return true
}
