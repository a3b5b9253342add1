/**
 * Generates the Prisma client into apps/web/server/generated when the schema or Prisma changed. Run it as a program,
 * or call `generateClient`.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { generatedFolder, schemaFile } from './paths.ts'

/** Returns whether anything had to be generated. */
export async function generateClient(): Promise<boolean> {
  const require = createRequire(schemaFile)
  const cli = require.resolve('prisma/build/index.js')
  const version = await readFile(require.resolve('prisma/package.json'), 'utf8')
  const wanted = createHash('sha256')
    .update(await readFile(schemaFile))
    .update(version)
    .digest('hex')
  const stamp = path.join(generatedFolder, '.schema-hash')
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return false
  await rm(stamp, { force: true })
  await run(cli)
  await writeFile(stamp, wanted)
  return true
}

function run(cli: string): Promise<void> {
  const child = spawn(process.execPath, [cli, 'generate', '--schema', schemaFile, '--no-hints'], {
    // Generating needs *a* file for the native schema engine, not the engine, which would be downloaded.
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      said += text
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`prisma generate failed:\n${said}`)),
    )
  })
}

if (import.meta.main) {
  const made = await generateClient()
  console.log(made ? 'Generated the database client.' : 'The database client is up to date.')
}
