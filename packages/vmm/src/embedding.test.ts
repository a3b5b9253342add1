/** docs/embedding.md promises that its program is run as it stands there. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  type DiskOption,
  type DisplayOption,
  type MmioOption,
  type NetOption,
  type PortOption,
  type RateLimit,
  type RunOptions,
  type SerialOption,
  type ShareOption,
  type VsockOption,
  vmmCommandLine,
} from './index.ts'
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

test('a VM with everything is written down with what the public entry has', () => {
  const disks: DiskOption[] = [{ path: 'd', readOnly: true }]
  const nets: NetOption[] = [{ kind: 'passt', target: 'n' }]
  const display: DisplayOption = { path: 's', layout: 'de', screens: 2 }
  const ports: PortOption[] = [{ name: 'p', path: 'q' }]
  const shares: ShareOption[] = [{ path: 'f', tag: 't', writable: false, owner: 1000 }]
  const mmio: MmioOption = { announced: true }
  const vsock: VsockOption = { cid: 3, path: 'v' }
  const diskLimit: RateLimit = { bytesPerSecond: 1, operationsPerSecond: undefined }
  const serial: SerialOption = { kind: 'unix', path: 'u' }
  const parts = { disks, nets, display, ports, shares, mmio, vsock, diskLimit, serial }
  const options: RunOptions = { kernel: 'k', commandLine: '', noReboot: false, ...parts }
  assert.equal(vmmCommandLine(options)[0], 'run')
})
