/**
 * Generates the Prisma clients, one a provider, when the schema or Prisma changed. Run it as a program, or call
 * `generateClients`.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { generatedFolder, type Provider, schemaFile } from './paths.ts'
import { providerSchema } from './provider-schema.ts'

/** Returns whether anything had to be generated. */
export async function generateClients(): Promise<boolean> {
  const made = await Promise.all([generateClient('sqlite'), generateClient('postgresql')])
  return made.includes(true)
}

async function generateClient(provider: Provider): Promise<boolean> {
  const require = createRequire(schemaFile)
  const cli = require.resolve('prisma/build/index.js')
  const schema = await providerSchema(provider)
  const version = await readFile(require.resolve('prisma/package.json'), 'utf8')
  const wanted = createHash('sha256').update(schema).update(version).digest('hex')
  const stamp = path.join(generatedFolder[provider], '.schema-hash')
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return false
  await rm(stamp, { force: true })
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-schema-'))
  try {
    const file = path.join(folder, 'schema.prisma')
    await writeFile(file, schema)
    await run(cli, file)
  } finally {
    await rm(folder, { recursive: true })
  }
  await writeFile(stamp, wanted)
  return true
}

function run(cli: string, schema: string): Promise<void> {
  const child = spawn(process.execPath, [cli, 'generate', '--schema', schema, '--no-hints'], {
    // Where Prisma looks for its packages from.
    cwd: path.dirname(schemaFile),
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
  const made = await generateClients()
  console.log(made ? 'Generated the database clients.' : 'The database clients are up to date.')
}
