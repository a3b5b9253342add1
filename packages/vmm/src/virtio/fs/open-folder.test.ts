/** Whose files those of a shared folder are, for the user a jailed monitor becomes. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import * as libc from '../../sys/libc.ts'
import { openFolder } from './open-folder.ts'
import { actAsOwner } from './owner-map.ts'

const OWNER = 12_345
const VM = 1_879_048_999
const skip = process.getuid!() !== 0 && 'only root makes such mounts'

/** Runs a script as the VM's user in the folder; returns what it printed, errors last. */
function asVm(fd: number, script: string): string {
  const shell = ['sh', '-c', `cd /proc/self/fd/3 && ${script}`]
  const { stdout, stderr } = spawnSync(
    'setpriv',
    ['--reuid', `${VM}`, '--regid', `${VM}`, '--clear-groups', ...shell],
    {
      stdio: ['ignore', 'pipe', 'pipe', fd],
      encoding: 'utf8',
    },
  )
  return `${stdout}${stderr}`.trim()
}

test("the VM's user acts as the folder's owner: reads, writes and makes what is the owner's, and nobody else's", {
  skip,
}, async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hearth-owner-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const shared = path.join(folder, 'shared')
  mkdirSync(shared)
  writeFileSync(path.join(shared, 'private'), 'the owner reads this')
  writeFileSync(path.join(shared, 'others'), 'root wrote this')
  for (const name of ['', 'private']) chownSync(path.join(shared, name), OWNER, OWNER)
  chmodSync(shared, 0o700)
  for (const name of ['private', 'others']) chmodSync(path.join(shared, name), 0o600)

  const mapped = openFolder(shared, true, true)
  t.after(() => libc.close(mapped))
  assert.equal(statSync(`/proc/self/fd/${mapped}/private`).uid, OWNER)
  assert.match(asVm(mapped, 'cat private'), /can't cd|Permission denied/)
  if (!(await actAsOwner(mapped, VM))) return t.skip('this kernel or file system maps no ids')
  assert.deepEqual(
    ['private', 'others'].map((name) => statSync(`/proc/self/fd/${mapped}/${name}`).uid),
    [VM, 65_534],
  )
  assert.equal(
    asVm(mapped, 'cat private; echo new > made; mkdir folder; echo more >> private'),
    'the owner reads this',
  )
  assert.match(asVm(mapped, 'cat others'), /Permission denied/)
  assert.match(asVm(mapped, 'echo x >> others'), /Permission denied|too large/)
  for (const name of ['made', 'folder', 'private']) {
    const { uid, gid } = statSync(path.join(shared, name))
    assert.deepEqual([uid, gid], [OWNER, OWNER], name)
  }
})

test("a folder of root's stays root's", { skip }, async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hearth-owner-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const fd = openFolder(folder, true, true)
  t.after(() => libc.close(fd))
  assert.equal(await actAsOwner(fd, VM), false)
  assert.equal(statSync(`/proc/self/fd/${fd}/.`).uid, 0)
})
