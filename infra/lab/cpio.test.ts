import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { cpioArchive } from './cpio.ts'

const archive = cpioArchive([
  { path: 'dir', type: 'directory', mode: 0o1777 },
  { path: 'dir/file', type: 'file', data: Buffer.from('hello'), mode: 0o755 },
  { path: 'link', type: 'symlink', target: 'dir/file' },
  { path: 'console', type: 'character-device', major: 5, minor: 1 },
])

test('cpio lists what was put in, with modes and device numbers', () => {
  const listed = spawnSync('cpio', ['--list', '--verbose', '--numeric-uid-gid', '--quiet'], {
    input: archive,
    encoding: 'utf8',
  })
  assert.equal(listed.status, 0, listed.stderr)
  const lines = listed.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
  assert.deepEqual(
    lines.map((words) => [words[0], words.join(' ').replace(/.* \d{4} /, '')]),
    [
      ['drwxrwxrwt', 'dir'],
      ['-rwxr-xr-x', 'dir/file'],
      ['lrwxrwxrwx', 'link -> dir/file'],
      ['crw-------', 'console'],
    ],
  )
  assert.deepEqual(lines[3]!.slice(4, 6), ['5,', '1'])
})

test('file data comes back byte for byte, each part on a boundary of four', () => {
  const extracted = spawnSync('cpio', ['--extract', '--to-stdout', '--quiet', 'dir/file'], {
    input: archive,
    encoding: 'utf8',
  })
  assert.equal(extracted.stdout, 'hello')
  assert.equal(archive.length % 4, 0)
  assert.match(archive.subarray(-16).toString('latin1'), /TRAILER!!!\0/)
})
