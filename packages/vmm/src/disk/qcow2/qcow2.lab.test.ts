/** A guest in the lab works on a qcow2 disk: resets, is powered off, and is killed while it writes. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { before, test } from 'node:test'
import { buildPrograms, vmmEntry } from '../../../../../infra/build/programs.ts'
import { type CpioEntry, cpioArchive } from '../../../../../infra/lab/cpio.ts'
import { debianKernel } from '../../../../../infra/lab/debian-kernel.ts'
import { staticBusybox } from '../../../../../infra/lab/initrd.ts'
import { moduleFiles, readModuleIndex } from '../../../../../infra/lab/kernel-modules.ts'
import type { Lab } from '../../../../../infra/lab/lab.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../../../infra/lab/shared.ts'
import { cacheDirectory } from '../../../../../infra/lib/paths.ts'
import { createQcow2 } from './create.ts'
import { checkQcow2, openQcow2 } from './open.ts'
import { GuestBuffer, qemuCheck, Random } from './testing/support.ts'

const MIB = 2 ** 20
const MODULES = ['virtio_pci', 'virtio_blk']
/** Generous: the lab's CPU is emulated, and the machine under it may be busy. */
const RUN_MS = 300_000

let lab: Lab
let kernel: string
let folder: string
let initrd: string
/** On the lab's XFS, where the machine works; the lab's mirror of `folder`. */
const inLab = path.join(sharedLabData, 'qcow2')

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  folder = path.join(sharedScratch(), 'qcow2')
  await mkdir(folder)
  const debian = await debianKernel(cacheDirectory, 'cloud-amd64', () => {})
  kernel = debian.vmlinuz
  initrd = path.join(folder, 'initrd')
  await writeFile(initrd, await archive(debian.modules))
  await shell(`mkdir -p ${inLab}`)
})

async function archive(modules: string): Promise<Buffer> {
  const needed = moduleFiles(await readModuleIndex(modules), MODULES)
  const entries: CpioEntry[] = ['bin', 'dev', 'proc', 'sys', 'tmp', 'modules'].map((name) => ({
    path: name,
    type: 'directory',
  }))
  entries.push({ path: 'dev/console', type: 'character-device', major: 5, minor: 1 })
  const init = await readFile(new URL('./testing/guest-init.sh', import.meta.url))
  entries.push({ path: 'init', type: 'file', data: init, mode: 0o755 })
  entries.push({ path: 'bin/busybox', type: 'file', data: await staticBusybox(), mode: 0o755 })
  const names = needed.map((file) => path.basename(file))
  entries.push({ path: 'modules/order', type: 'file', data: Buffer.from(names.join('\n')) })
  for (const file of needed) {
    entries.push({
      path: `modules/${path.basename(file)}`,
      type: 'file',
      data: await readFile(path.join(modules, file)),
    })
  }
  return cpioArchive(entries)
}

async function shell(command: string): Promise<void> {
  const { code, stderr } = await lab.run('sh', ['-ec', command])
  assert.equal(code, 0, stderr)
}

const vmm = (run: string, disk: string, tag = '') => [
  ...[vmmEntry, 'run', '--kernel', kernel, '--initrd', initrd, '--memory', '256M'],
  ...['--cmdline', `console=ttyS0 quiet run=${run} tag=${tag}`, '--disk', `${disk},format=qcow2`],
]

/** The disk's bytes, as our engine reads them outside. */
function contents(file: string): Buffer {
  const image = openQcow2(file, { readOnly: true })
  const guest = new GuestBuffer(MIB, new Random(1))
  const bytes = Buffer.alloc(image.size)
  for (let at = 0; at < image.size; at += MIB)
    bytes.set(guest.read(image, at, Math.min(MIB, image.size - at)), at)
  guest.close()
  image.close()
  return bytes
}
const sum = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')

for (const [served, disks] of [
  ['io_uring', []],
  ['a thread', ['HEARTH_DISK_THREAD=1']],
] as const) {
  test(`a guest sees through a qcow2 disk to its base, and finds what it wrote after a reset (${served})`, () =>
    rewrite(disks))
}

async function rewrite(environment: readonly string[]): Promise<void> {
  const base = Buffer.alloc(80 * MIB)
  for (let at = 0; at < base.length; at += 3 * 65536) base.fill(`block ${at} `, at, at + 65536)
  await writeFile(path.join(folder, 'base.raw'), base)
  const disk = path.join(folder, 'overlay.qcow2')
  await rm(disk, { force: true })
  createQcow2({ path: disk, size: 96 * MIB, backing: { path: 'base.raw', format: 'raw' } })
  await shell(`cp --sparse=always ${folder}/base.raw ${disk} ${inLab}`)

  const command = [...environment, 'node', ...vmm('rewrite', `${inLab}/overlay.qcow2`)]
  const run = await lab.run('env', command, { timeoutMs: RUN_MS })
  const sums = [...run.stdout.matchAll(/^SUM (\w+)\r?$/gm)].map((match) => match[1])
  const told = `${run.stdout}\n${run.stderr}`
  assert.equal(run.code, 0, told)
  assert.equal(sums.length, 3, told)
  assert.match(run.stdout, /^DISCARD [1-9]\d* [1-9]\d*\r?$/m)
  assert.match(run.stdout, /^DISCARDED\r?$/m)
  assert.equal(sums[0], sum(Buffer.concat([base, Buffer.alloc(16 * MIB)])), 'the base, then zeroes')
  assert.notEqual(sums[1], sums[0])
  assert.equal(sums[2], sums[1], 'after the reset')

  await shell(`cp --sparse=always ${inLab}/overlay.qcow2 ${disk}`)
  qemuCheck(disk)
  assert.deepEqual(checkQcow2(disk).messages, [])
  const after = contents(disk)
  assert.equal(sum(after), sums[2])
  assert.equal(
    after.subarray(4 * MIB, 10 * MIB).findIndex((byte) => byte !== 0),
    -1,
    'discarded',
  )
  await shell(`cmp ${folder}/base.raw ${inLab}/base.raw`)
}

test('a machine killed while its guest writes has lost nothing the guest had flushed', async () => {
  const disk = path.join(folder, 'killed.qcow2')
  createQcow2({ path: disk, size: 512 * MIB })
  await shell(`cp ${disk} ${inLab}`)
  for (const [round, flushes] of [5, 23].entries()) {
    let output = ''
    const machine = lab.spawn('node', vmm('fill', `${inLab}/killed.qcow2`, `round${round}`), {
      onStdout: (chunk) => {
        output += chunk.toString('latin1')
        if (output.includes(`FLUSHED ${flushes}\r`)) machine.kill('SIGKILL')
      },
    })
    await machine.ended
    assert.ok(output.includes(`FLUSHED ${flushes}\r`), output)

    await shell(`cp --sparse=always ${inLab}/killed.qcow2 ${disk}`)
    assert.deepEqual(checkQcow2(disk).messages, [], `round ${round}`)
    qemuCheck(disk, true)
    const after = contents(disk)
    for (let i = 1; i <= flushes; i++) {
      const block = after.subarray(i * 40960, (i + 1) * 40960)
      const expected = Buffer.alloc(40960, `round${round} ${i}\n`)
      assert.equal(Buffer.compare(block, expected), 0, `round ${round}: block ${i} of ${flushes}`)
    }
  }
})
