import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

test('a document that fits the disk in part alone is no snapshot', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slot-'))
  t.after(() => rmSync(folder, { recursive: true }))
  // A file of this process has at most 64 KiB, as on a disk with so much left.
  const program = `
    import { SnapshotSlot } from ${JSON.stringify(new URL('./folder.ts', import.meta.url).href)}
    process.on('SIGXFSZ', () => {})
    try {
      new SnapshotSlot(process.argv[1]).finish({ cpus: 'x'.repeat(100_000) })
      console.log('whole')
    } catch (error) {
      console.log(error.code)
    }`
  const node = [process.execPath, '--input-type=module', '-e', program, path.join(folder, 'slot')]
  const { stdout, stderr } = spawnSync('prlimit', ['--fsize=65536', ...node], { encoding: 'utf8' })
  assert.equal(stdout, 'EFBIG\n', stderr)
})
