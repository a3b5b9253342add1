/**
 * What SQL would bring a database to prisma/schema.prisma: Prisma's schema engine (its WebAssembly build; the native
 * one is a download) over the provider's adapter. For making migrations and for the test that they match the schema; the
 * running portal never loads it.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { Pool, type QueryArrayConfig, type QueryArrayResult } from 'pg'
import type { DatabaseChoice } from './database-url.ts'
import { schemaFile } from './paths.ts'
import { providerSchema } from './provider-schema.ts'
import { sqliteAdapter } from './sqlite/adapter.ts'

interface SchemaEngine {
  diff(params: {
    from: DiffTarget
    to: DiffTarget
    script: boolean
    exitCode: boolean
    filters: { externalTables: string[]; externalEnums: string[] }
  }): Promise<{ exitCode: number; stdout: string | null }>
  free(): void
}
interface SchemaFile {
  path: string
  content: string
}
type DiffTarget =
  | { tag: 'schemaDatasource'; files: SchemaFile[]; configDir: string }
  | { tag: 'schemaDatamodel'; files: SchemaFile[] }

interface EngineModule {
  __wbg_set_wasm(exports: WebAssembly.Exports): void
  SchemaEngine: {
    new: (options: object, log: (line: string) => void, adapter: object) => Promise<SchemaEngine>
  }
}

/** SQL from a database (migrated or empty) to the schema; empty text when they agree. */
export async function sqlToSchema(choice: DatabaseChoice): Promise<string> {
  const schema = { path: schemaFile, content: await providerSchema(choice.kind) }
  const engine = await loadEngine(choice, schema)
  try {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files: [schema], configDir: path.dirname(schemaFile) },
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    })
    return exitCode === 0 ? '' : (stdout ?? '')
  } finally {
    engine.free()
  }
}

let loaded: Promise<EngineModule> | undefined

async function loadEngine(choice: DatabaseChoice, schema: SchemaFile): Promise<SchemaEngine> {
  // Its glue code keeps one instance in module variables: a second one would pull the rug from under the first.
  loaded ??= loadModule()
  const { SchemaEngine } = await loaded
  const adapter = bindMigrationAwareSqlAdapterFactory(
    choice.kind === 'sqlite'
      ? sqliteAdapter(choice.file, { doubleQuotedStrings: true })
      : new PrismaPg(cataloguePool(choice.url), { disposeExternalPool: true }),
  )
  return SchemaEngine.new({ datamodels: [[schema.path, schema.content]] }, () => {}, adapter)
}

/**
 * The engine reads PostgreSQL's own catalogue, whose one-letter columns have the type "char" (object id 18), which
 * the adapter does not know; as text (25) both understand them.
 */
function cataloguePool(url: string): Pool {
  const pool = new Pool({ connectionString: url })
  const query = pool.query.bind(pool) as (config: QueryArrayConfig) => Promise<QueryArrayResult>
  const asText = async (config: QueryArrayConfig) => {
    const result = await query(config)
    for (const field of result.fields ?? []) if (field.dataTypeID === 18) field.dataTypeID = 25
    return result
  }
  pool.query = asText as typeof pool.query
  return pool
}

async function loadModule(): Promise<EngineModule> {
  const require = createRequire(import.meta.url)
  const folder = path.dirname(require.resolve('@prisma/schema-engine-wasm'))
  const engineModule = (await import(path.join(folder, 'schema_engine_bg.js'))) as EngineModule
  const wasm = new WebAssembly.Module(await readFile(path.join(folder, 'schema_engine_bg.wasm')))
  const instance = new WebAssembly.Instance(wasm, {
    './schema_engine_bg.js': engineModule as unknown as WebAssembly.ModuleImports,
  })
  engineModule.__wbg_set_wasm(instance.exports)
  ;(instance.exports.__wbindgen_start as () => void)()
  return engineModule
}
