/**
 * What SQL would bring a database to prisma/schema.prisma: Prisma's schema engine (its WebAssembly build; the native
 * one is a download) over our own adapter. For making migrations and for the test that they match the schema; the
 * running portal never loads it.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { sqliteAdapter } from './sqlite-adapter/adapter.ts'

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

/** SQL from the database in `file` (migrated or empty) to the schema; empty text when they agree. */
export async function sqlToSchema(file: string, schemaFile: string): Promise<string> {
  const content = await readFile(schemaFile, 'utf8')
  const schema = { path: schemaFile, content }
  const engine = await loadEngine(file, schema)
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

async function loadEngine(file: string, schema: SchemaFile): Promise<SchemaEngine> {
  // Its glue code keeps one instance in module variables: a second one would pull the rug from under the first.
  loaded ??= loadModule()
  const { SchemaEngine } = await loaded
  const adapter = bindMigrationAwareSqlAdapterFactory(sqliteAdapter(file, { doubleQuotedStrings: true }))
  return SchemaEngine.new({ datamodels: [[schema.path, schema.content]] }, () => {}, adapter)
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
