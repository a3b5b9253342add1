import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { inRepository } from '../lib/paths.ts'

const refused: [string, string][] = [
  ['packages/shared/src', '@hearth/vmm'],
  ['packages/shared/src', 'node:fs'],
  ['packages/vmm/src', '@hearth/agent/router'],
  ['packages/vmm/src', '../../../apps/web/server/main.ts'],
  ['apps/agent/src', '@hearth/web/server'],
  ['apps/agent/src', '../../../packages/vmm/src/kvm/vm.ts'],
  ['apps/web/server', '@hearth/vmm'],
  ['apps/web/server', '../../agent/src/router.ts'],
  ['apps/web/src', '../../../packages/vmm/src/index.ts'],
]
const allowed: [string, string][] = [
  ['packages/vmm/src', '@hearth/shared/units'],
  ['apps/agent/src', '@hearth/vmm'],
  ['apps/web/server', '@hearth/agent/router'],
  ['apps/web/src', '@hearth/shared/names'],
]

test('imports run only downwards: web → agent router type → vmm → shared', (t) => {
  // The real configuration over a tree of its own, with one file for each import in question.
  const tree = mkdtempSync(path.join(os.tmpdir(), 'hearth-lint-'))
  t.after(() => rmSync(tree, { recursive: true }))
  const configuration = JSON.parse(readFileSync(inRepository('biome.json'), 'utf8'))
  writeFileSync(path.join(tree, 'biome.json'), JSON.stringify({ ...configuration, vcs: { enabled: false } }))
  const write = ([folder, specifier]: [string, string], index: number, kind: string): string => {
    const file = path.join(folder, `${kind}-${index}.ts`)
    mkdirSync(path.join(tree, folder), { recursive: true })
    writeFileSync(path.join(tree, file), `import * as it from '${specifier}'\n\nexport const used = it\n`)
    return file
  }
  const bad = refused.map((entry, index) => write(entry, index, 'refused'))
  const good = allowed.map((entry, index) => write(entry, index, 'allowed'))
  const result = spawnSync(
    inRepository('node_modules/.bin/biome'),
    ['lint', '--max-diagnostics=none', '--reporter=github', '.'],
    {
      cwd: tree,
      encoding: 'utf8',
    },
  )
  const complaints = (result.stdout + result.stderr)
    .split('\n')
    .filter((line) => line.includes('noRestrictedImports'))
  for (const [index, file] of bad.entries()) {
    assert.ok(
      complaints.some((line) => line.includes(file)),
      `${refused[index]!.join(' may import ')}, but must not:\n${result.stdout}${result.stderr}`,
    )
  }
  for (const [index, file] of good.entries()) {
    assert.ok(
      !complaints.some((line) => line.includes(file)),
      `${allowed[index]!.join(' must be able to import ')}`,
    )
  }
})
