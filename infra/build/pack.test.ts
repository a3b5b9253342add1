import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { brotliDecompressSync } from 'node:zlib'
import { packFiles } from './pack.ts'

test('scripts and styles are packed beside themselves; what is small or something else is not', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-pack-'))
  t.after(() => rm(folder, { recursive: true }))
  const text = 'a { color: red } '.repeat(100)
  await mkdir(path.join(folder, 'chunks'))
  for (const [name, content] of [
    ['chunks/a.js', text],
    ['a.css', text],
    ['small.js', 'x'],
    ['font.woff2', text],
  ] as const)
    await writeFile(path.join(folder, name), content)
  await packFiles(folder)
  const packed = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.br')).sort()
  assert.deepEqual(packed, ['a.css.br', 'chunks/a.js.br'])
  for (const name of packed)
    assert.equal(brotliDecompressSync(await readFile(path.join(folder, name))).toString(), text)
})
