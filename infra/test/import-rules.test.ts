import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { inRepository, repository } from '../lib/paths.ts'

/** What the linter says of one import statement if it stood in `file`. */
function lint(file: string, specifier: string): { refused: boolean; output: string } {
  const result = spawnSync(
    process.execPath,
    [inRepository('node_modules/@biomejs/biome/bin/biome'), 'lint', `--stdin-file-path=${file}`],
    {
      cwd: repository,
      input: `import * as it from '${specifier}'\n\nexport const used = it\n`,
      encoding: 'utf8',
    },
  )
  const output = result.stdout + result.stderr
  return { refused: output.includes('noRestrictedImports'), output }
}

test('imports run only downwards: web → agent router type → vmm → shared', () => {
  const refused: [string, string][] = [
    ['packages/shared/src/x.ts', '@hearth/vmm'],
    ['packages/shared/src/x.ts', 'node:fs'],
    ['packages/vmm/src/x.ts', '@hearth/agent/router'],
    ['packages/vmm/src/x.ts', '../../../apps/web/server/main.ts'],
    ['apps/agent/src/x.ts', '@hearth/web/server'],
    ['apps/agent/src/x.ts', '../../../packages/vmm/src/kvm/vm.ts'],
    ['apps/web/server/x.ts', '@hearth/vmm'],
    ['apps/web/server/x.ts', '../../agent/src/router.ts'],
    ['apps/web/src/x.tsx', '../../../packages/vmm/src/index.ts'],
  ]
  for (const [file, specifier] of refused) {
    const { refused, output } = lint(file, specifier)
    assert.ok(refused, `${file} may import ${specifier}, but must not:\n${output}`)
  }
  const allowed: [string, string][] = [
    ['packages/vmm/src/x.ts', '@hearth/shared/units'],
    ['apps/agent/src/x.ts', '@hearth/vmm'],
    ['apps/web/server/x.ts', '@hearth/agent/router'],
    ['apps/web/src/x.tsx', '@hearth/shared/names'],
  ]
  for (const [file, specifier] of allowed) {
    const { refused, output } = lint(file, specifier)
    assert.ok(!refused, `${file} must be able to import ${specifier}:\n${output}`)
  }
})
