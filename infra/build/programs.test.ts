import assert from 'node:assert/strict'
import { test } from 'node:test'
import { build } from 'esbuild'
import { repository } from '../lib/paths.ts'

test('a VM that starts cold loads no schema library: it would cost each of them memory and a third of its start', async () => {
  for (const entry of ['main', 'vcpu/worker', 'io/worker', 'display/worker']) {
    const { metafile } = await build({
      absWorkingDir: repository,
      entryPoints: [`packages/vmm/src/${entry}.ts`],
      outdir: 'nowhere',
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      external: ['koffi'],
      metafile: true,
      write: false,
      logLevel: 'silent',
    })
    const importers = (file: string): string[] =>
      Object.entries(metafile.inputs)
        .filter(([, { imports }]) =>
          imports.some(({ path, kind }) => path === file && kind === 'import-statement'),
        )
        .map(([importer]) => importer)
    const start = Object.keys(metafile.outputs).find((file) =>
      metafile.outputs[file]!.entryPoint?.endsWith(`${entry}.ts`),
    )!
    const loaded = new Set([start])
    for (const file of loaded) {
      for (const { path, kind } of metafile.outputs[file]?.imports ?? [])
        if (kind === 'import-statement') loaded.add(path)
    }
    const schemas = [...loaded]
      .flatMap((file) => Object.keys(metafile.outputs[file]?.inputs ?? {}))
      .find((input) => input.includes('node_modules/zod/'))
    assert.equal(
      schemas,
      undefined,
      `${entry}: take constants from a module without schemas, or import it when it is needed; zod comes by ${importers('node_modules/zod/index.js')}`,
    )
  }
})
