import assert from 'node:assert/strict'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { languageReader } from './language.ts'

/**
 * A text read while a module loads is read once, in whatever language the server happens to be in, and stays so for
 * every person: the page then flickers from English to theirs, or stays English. So every page and feature is loaded
 * here with a reader that refuses.
 */
const source = fileURLToPath(new URL('..', import.meta.url))
// Inside the workspace, so that packages resolve as they do for the pages.
const out = mkdtempSync(path.join(source, '../.early-texts-'))
after(() => rmSync(out, { recursive: true, force: true }))

test('no module of the pages reads a text while it loads', async () => {
  const modules = globSync(['features/**/*.tsx', 'features/**/*.ts', 'ui/*.tsx', 'app/**/page.tsx'], {
    cwd: source,
  })
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => path.join(source, file))
  assert.ok(modules.length > 60, 'the pattern finds the modules')
  const outfile = path.join(out, 'all.mjs')
  await build({
    stdin: {
      contents: modules.map((file) => `await import(${JSON.stringify(file)})`).join('\n'),
      resolveDir: source,
      loader: 'js',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    jsx: 'automatic',
    outfile,
    logLevel: 'error',
    // Packages that need a browser at import, or leave their extension to a bundler.
    plugins: [
      {
        name: 'without-packages',
        setup(builder) {
          builder.onResolve(
            { filter: /^(next|geist|lucide-react|@xterm|@base-ui|@novnc|.*\.css$)/ },
            ({ path: name }) => ({
              path: name,
              namespace: 'nothing',
            }),
          )
          builder.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({
            // Any name may be asked of it and be called, as a component or a hook would be.
            contents: `const any = new Proxy(function () {}, {
  get: (_, key) => (key === 'then' || key === '__esModule' ? undefined : key === Symbol.toPrimitive ? () => '' : any),
  getPrototypeOf: () => any,
  apply: () => any,
  construct: () => any,
})
module.exports = any`,
            loader: 'js',
          }))
        },
      },
    ],
  })
  Object.assign(globalThis, {
    [languageReader]: () => {
      throw new Error('A text was read while a module loads: read it inside the component or function.')
    },
  })
  await import(pathToFileURL(outfile).href)
})
