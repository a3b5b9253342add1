import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { extractVmlinux } from './vmlinux.ts'

const note = Buffer.from('04000000080000001200000058656e00', 'hex')
const elf = Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(3000, 7), note, Buffer.alloc(5000, 9)])
const size = Buffer.alloc(4)
size.writeUInt32LE(elf.length)

/** A bzImage with two setup sectors and a payload 100 bytes into the protected-mode part. */
function bzImage(payload: Buffer): Buffer {
  const setup = Buffer.alloc(3 * 512)
  setup[0x1f1] = 2
  setup.write('HdrS', 0x202)
  setup.writeUInt16LE(0x20f, 0x206)
  setup.writeUInt32LE(100, 0x248)
  setup.writeUInt32LE(payload.length, 0x24c)
  return Buffer.concat([setup, Buffer.alloc(100), payload, Buffer.alloc(50)])
}

test('the ELF comes out of every compression Debian uses', async () => {
  const xz = spawnSync('xz', ['--check=crc32', '--x86', '--lzma2', '--stdout'], { input: elf })
  assert.equal(xz.status, 0)
  const lz4 = spawnSync('lz4', ['-l', '-9', '-c'], { input: elf })
  assert.equal(lz4.status, 0)
  const payloads = [
    Buffer.concat([xz.stdout, size]),
    Buffer.concat([lz4.stdout, size]),
    Buffer.concat([zstdCompressSync(elf), size]),
    gzipSync(elf),
  ]
  for (const payload of payloads) assert.deepEqual(await extractVmlinux(bzImage(payload)), elf)
})

test('what QEMU could not start is refused with the reason', async () => {
  const withoutNote = Buffer.concat([elf.subarray(0, 3000), elf.subarray(3100)])
  const cases: [Buffer, RegExp][] = [
    [Buffer.alloc(100), /not a bzImage/],
    [Buffer.alloc(4096), /not a bzImage/],
    [bzImage(Buffer.from('BZh9 whatever')), /compressed in a way unknown/],
    [bzImage(gzipSync(Buffer.from('no ELF'))), /no ELF file/],
    [bzImage(gzipSync(withoutNote)), /no PVH entry/],
  ]
  for (const [image, reason] of cases) await assert.rejects(extractVmlinux(image), reason)
})
