import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { cpioArchive } from './cpio.ts'

const archive = cpioArchive([
  { path: 'dir', type: 'directory', mode: 0o1777 },
  { path: 'dir/file', type: 'file', data: Buffer.from('hello'), mode: 0o755 },
  { path: 'link', type: 'symlink', target: 'dir/file' },
  { path: 'console', type: 'character-device', major: 5, minor: 1 },
])

// busybox's reader, because Hearth needs that package anyway.
const read = (...args: string[]) =>
  spawnSync('busybox', ['cpio', ...args], { input: archive, encoding: 'utf8' })

test('a reader sees what was put in, with modes, sizes and device numbers', () => {
  const { stdout } = read('-t', '-v')
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/0\/0 +| 1970-01-01 00:00:00/g, '')),
    ['drwxrwxrwt 0 dir', '-rwxr-xr-x 5 dir/file', 'lrwxrwxrwx 0 link -> dir/file', 'crw------- 0 console'],
  )
  // inode, mode (S_IFCHR | 0600), seven fields, then the device's numbers.
  assert.match(archive.toString('latin1'), /070701.{8}00002180.{56}0000000500000001/)
})

test('file data comes back byte for byte, each part on a boundary of four', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hearth-cpio-'))
  t.after(() => rmSync(folder, { recursive: true }))
  spawnSync('busybox', ['cpio', '-i', '-d', 'dir/file'], { input: archive, cwd: folder })
  assert.equal(readFileSync(path.join(folder, 'dir/file'), 'utf8'), 'hello')
  assert.equal(archive.length % 4, 0)
  assert.match(archive.subarray(-16).toString('latin1'), /TRAILER!!!\0/)
})
