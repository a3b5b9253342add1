import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseElf } from './elf.ts'
import { BootError, imageOfBytes } from './image-file.ts'
import { detectKernel } from './load.ts'
import { elf, elf32 } from './testing/images.ts'

const parse = (bytes: Uint8Array) => parseElf(imageOfBytes(bytes, 'vmlinux'))
/** Changes some bytes of a good file. */
const patched = (at: number, bytes: readonly number[], base = elf({ pvhEntry: 0x10_0000 })): Uint8Array => {
  base.set(bytes, at)
  return base
}
const u64 = (value: bigint): number[] => [...new Uint8Array(new BigUint64Array([value]).buffer)]
const FIRST_HEADER = 64

test('segments and entries are read, with and without the PVH note', () => {
  const data = new Uint8Array(100).fill(7)
  const image = parse(elf({ entry: 0x20_0010, segments: [{ address: 0x20_0000, data, memorySize: 500 }] }))
  assert.equal(image.entry, 0x20_0010)
  assert.equal(image.pvhEntry, undefined)
  assert.deepEqual(image.segments, [
    {
      fileOffset: 120,
      fileSize: 100,
      address: 0x20_0000,
      memorySize: 500,
      writable: true,
      executable: false,
    },
  ])
  for (const noteAlignment of [4, 8] as const) {
    assert.equal(parse(elf({ pvhEntry: 0x10_0040, noteAlignment })).pvhEntry, 0x10_0040)
  }
})

test('a 32-bit file is read alike, and entered by PVH alone', () => {
  const bytes = elf32(0x10_0040)
  const image = parse(bytes)
  assert.deepEqual([image.bits, image.entry, image.pvhEntry], [32, 0x10_0000, 0x10_0040])
  assert.deepEqual(
    image.segments.map(({ address, fileSize, memorySize }) => [address, fileSize, memorySize]),
    [[0x10_0000, 16, 0x1000]],
  )
  const file = imageOfBytes(bytes, 'kernel')
  assert.equal(detectKernel(file).kind, 'elf')
  assert.throws(() => detectKernel(file, 'linux'), /32-bit ELF file/)
  assert.throws(() => detectKernel(imageOfBytes(elf32(undefined), 'kernel')), /32-bit ELF file/)
})

test('what is not an x86-64 executable is named', () => {
  assert.throws(() => parse(new Uint8Array(200)), /is not an ELF file/)
  assert.throws(() => parse(elf({ machine: 183 })), /for another processor/)
  // The class says 32 bits, the processor 64.
  assert.throws(() => parse(patched(4, [1])), /for another processor/)
  assert.throws(() => parse(elf({ type: 1 })), /cannot be run \(type 1/)
  assert.throws(() => parse(elf({ segments: [] })), /0 program headers/)
})

test('tables and segments that point anywhere are refused', () => {
  assert.throws(() => parse(patched(32, u64(2n ** 63n))), /behind its end/)
  assert.throws(() => parse(patched(54, [32, 0])), /wrong size/)
  assert.throws(() => parse(patched(56, [0xff, 0xff])), /65535 program headers/)
  assert.throws(() => parse(patched(FIRST_HEADER + 8, u64(2n ** 64n - 1n))), /truncated/)
  assert.throws(() => parse(patched(FIRST_HEADER + 32, u64(2n ** 40n))), /truncated/)
  assert.throws(() => parse(patched(FIRST_HEADER + 40, u64(1n))), /larger in the file than in memory/)
  // Only empty segments: nothing to load.
  const empty = elf({ segments: [{ address: 0x10_0000, data: new Uint8Array(0) }] })
  assert.throws(() => parse(empty), /nothing to load/)
})

test('notes of any content end the search, not the process', () => {
  const base = elf({ pvhEntry: 0x10_0000 })
  const notes = base.length - 40
  for (let at = notes; at < base.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const { pvhEntry } = parse(patched(at, [value], base.slice()))
      assert.ok(pvhEntry === undefined || pvhEntry <= 0xffff_ffff)
    }
  }
})

test('every truncation is refused', () => {
  const bytes = elf({ pvhEntry: 0x10_0000 })
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(
      () => parse(bytes.subarray(0, length)),
      (error) => error instanceof BootError && error.message.includes('truncated'),
      `cut to ${length} bytes`,
    )
  }
})
