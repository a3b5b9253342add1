import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { MIB } from '@hearth/shared/units'
import { convertDisk } from './convert.ts'
import { readFormat } from './disk-format.ts'
import { rawDisk } from './testing.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-formats-'))
})
after(() => rm(folder, { recursive: true }))

const inFolder = (name: string): string => path.join(folder, name)

function qemuImg(...args: string[]): void {
  execFileSync('qemu-img', args, { stdio: 'ignore' })
}

async function convert(source: string, target: string): Promise<void> {
  await convertDisk({
    ...{ source, target, work: inFolder('work') },
    format: await readFormat(source),
    signal: new AbortController().signal,
    log: () => {},
    onProgress: () => {},
  })
}

test('a qcow2 file becomes a raw disk with the same bytes and with holes', async () => {
  await writeFile(inFolder('disk.raw'), rawDisk())
  await truncate(inFolder('disk.raw'), 200 * MIB)
  qemuImg('convert', '-O', 'qcow2', '-c', inFolder('disk.raw'), inFolder('disk.qcow2'))
  assert.deepEqual(await readFormat(inFolder('disk.qcow2')), { format: 'qcow2', bytes: 200 * MIB })
  await convert(inFolder('disk.qcow2'), inFolder('out.raw'))
  const { size, blocks } = await stat(inFolder('out.raw'))
  assert.equal(size, 200 * MIB)
  assert.ok(blocks * 512 < MIB, 'empty space takes none')
  const start = (await readFile(inFolder('out.raw'))).subarray(0, 3 * MIB)
  assert.ok(start.equals(rawDisk()))
})

test('a raw disk is read as one whatever its guest wrote into it, and is rounded up to whole MiB', async () => {
  const disk = rawDisk(2 * MIB + 512)
  await writeFile(inFolder('odd.img'), disk)
  assert.deepEqual(await readFormat(inFolder('odd.img')), { format: 'raw', bytes: 3 * MIB })
  await convert(inFolder('odd.img'), inFolder('odd.raw'))
  assert.ok((await readFile(inFolder('odd.raw'))).subarray(0, disk.length).equals(disk))
})

test('a file that names other files, is encrypted or too large is refused before anything opens it', async () => {
  await writeFile(inFolder('secret.raw'), rawDisk())
  qemuImg('create', '-f', 'qcow2', '-F', 'raw', '-b', inFolder('secret.raw'), inFolder('child.qcow2'))
  await assert.rejects(readFormat(inFolder('child.qcow2')), /backing file/)
  qemuImg(
    'create',
    '-f',
    'qcow2',
    '-o',
    `data_file=${inFolder('data.raw')}`,
    inFolder('outside.qcow2'),
    '64M',
  )
  await assert.rejects(readFormat(inFolder('outside.qcow2')), /another file/)
  qemuImg('create', '-f', 'qcow2', inFolder('huge.qcow2'), '3000G')
  await assert.rejects(readFormat(inFolder('huge.qcow2')), /at most/)
  qemuImg('create', '-f', 'vmdk', inFolder('vmware.vmdk'), '64M')
  await assert.rejects(readFormat(inFolder('vmware.vmdk')), /VMware/)
})

test('a web page, a packed file, an empty file and noise are told apart from images', async () => {
  const cases: [Buffer | string, RegExp][] = [
    ['<!DOCTYPE html><html>404</html>', /web page/],
    [Buffer.from([0x1f, 0x8b, 8, 0]), /packed \(gzip\)/],
    [Buffer.from('\xfd7zXZ\0', 'latin1'), /packed \(xz\)/],
    ['', /no disk image/],
    [Buffer.alloc(MIB, 7), /no disk image/],
    [Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'), /cut off/],
  ]
  for (const [data, reason] of cases) {
    await writeFile(inFolder('case'), data)
    await assert.rejects(readFormat(inFolder('case')), reason)
  }
})

test('an ISO is known by its descriptor, with its label', async () => {
  const iso = await open(inFolder('cd.iso'), 'w')
  await iso.write('\x01CD001\x01', 16 * 2048, 'latin1')
  await iso.write('INSTALLER'.padEnd(32), 16 * 2048 + 40, 'latin1')
  await iso.truncate(4 * MIB)
  await iso.close()
  assert.deepEqual(await readFormat(inFolder('cd.iso')), {
    format: 'iso',
    bytes: 4 * MIB,
    label: 'INSTALLER',
  })
})

test('a damaged qcow2 file becomes nothing, and the converter reaches no other file', async () => {
  await writeFile(inFolder('cut.raw'), rawDisk(64 * MIB))
  qemuImg('convert', '-O', 'qcow2', inFolder('cut.raw'), inFolder('cut.qcow2'))
  // A backing file that the header's check did not see would be read from inside the jail: there is none there.
  const handle = await open(inFolder('cut.qcow2'), 'r+')
  await handle.write(Buffer.alloc(8, 0xff), 0, 8, 40)
  await handle.close()
  await assert.rejects(convert(inFolder('cut.qcow2'), inFolder('never.raw')), { name: 'BuildError' })
  await assert.rejects(stat(inFolder('never.raw')))
  await assert.rejects(stat(inFolder('work/convert')))
})
