/**
 * Bundles `hearth-vmm` and the agent to plain JavaScript: measured, type stripping costs tens of MB and seconds
 * per process, and every VM is a process. Files are replaced by rename and only when their content changed, so
 * that a running VM that has yet to start a worker never reads half a file.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'
import { inRepository, repository } from '../lib/paths.ts'

const programs: Record<string, Record<string, string>> = {
  'hearth-vmm': {
    main: 'packages/vmm/src/main.ts',
    'vcpu-worker': 'packages/vmm/src/vcpu/worker.ts',
    'io-worker': 'packages/vmm/src/io/worker.ts',
    'display-worker': 'packages/vmm/src/display/worker.ts',
    'disk-worker': 'packages/vmm/src/disk/thread-worker.ts',
    'fs-worker': 'packages/vmm/src/virtio/fs/worker.ts',
  },
  agent: { main: 'apps/agent/src/main.ts' },
}

/** Where the bundled program starts. */
export const vmmEntry = inRepository('dist/hearth-vmm/main.js')
export const agentEntry = inRepository('dist/agent/main.js')

/** Builds all programs; returns how many files changed. */
export async function buildPrograms(): Promise<number> {
  let changed = 0
  const entries = Object.entries(programs).flatMap(([name, files]) =>
    Object.entries(files).map(([entry, source]) => ({ name, entryPoints: { [entry]: source } })),
  )
  for (const { name, entryPoints } of entries) {
    const outdir = inRepository('dist', name)
    const result = await build({
      absWorkingDir: repository,
      entryPoints,
      // One entry at a time: what is imported when it is needed becomes a file of its own, but what the threads
      // have in common stays in each, because every file more costs a start of each of them.
      splitting: true,
      outdir,
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      // Its native part is looked up beside its own files.
      external: ['koffi'],
      // CommonJS packages inside an ESM bundle still call require() for Node's own modules.
      banner: {
        js: "import { createRequire as hearthRequire } from 'node:module'; const require = hearthRequire(import.meta.url);",
      },
      // A thread keeps the text of its code for as long as it lives. Names stay, and lines short enough to find a place.
      minifyWhitespace: true,
      minifySyntax: true,
      lineLimit: 160,
      sourcemap: true,
      sourcesContent: false,
      legalComments: 'none',
      logLevel: 'silent',
      write: false,
    })
    await mkdir(outdir, { recursive: true })
    for (const file of result.outputFiles) {
      const old = await readFile(file.path).catch(() => undefined)
      if (old?.equals(file.contents)) continue
      // Two test files in one process may build at the same time.
      const temporary = `${file.path}.${randomUUID()}.tmp`
      await writeFile(temporary, file.contents)
      await rename(temporary, path.resolve(file.path))
      changed++
    }
  }
  return changed
}
