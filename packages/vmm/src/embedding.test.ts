/** docs/embedding.md promises that its program is run as it stands there. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { print, tinyKernel } from './testing/tiny-guest.ts'
import { usableKvm } from './testing/usable-kvm.ts'

test('the program of the page starts a VM, pauses it, ends it and hears how it ended', {
  skip: !usableKvm && 'no /dev/kvm here',
}, async (t) => {
  const page = readFileSync(new URL('../../../docs/embedding.md', import.meta.url), 'utf8')
  const program = /```ts\n([\s\S]*?)```/.exec(page)![1]!
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hearth-embedding-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const kernel = path.join(folder, 'kernel')
  writeFileSync(kernel, tinyKernel(print('the guest\n')))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module-typescript', '-e', program, 'program.ts', kernel, path.join(folder, 'control')],
    { cwd: fileURLToPath(new URL('..', import.meta.url)) },
  )
  assert.match(stdout, /^the guest\n/)
  const said = stdout.split('\n').filter((line) => /^(state|the VM)/.test(line))
  assert.deepEqual(said, ['state: running', 'state: paused', 'the VM powered off'])
})
