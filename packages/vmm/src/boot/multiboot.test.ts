import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOOT, memoryMap } from '../machine/layout.ts'
import { GuestMemory } from '../memory/guest-memory.ts'
import { BootError, imageOfBytes } from './image-file.ts'
import { type BootSource, detectKernel, loadGuest } from './load.ts'
import { parseMultiboot } from './multiboot.ts'
import { multibootKernel } from './testing/multiboot-kernel.ts'

const MIB = 1024 * 1024
const RAM = 8 * MIB
const parse = (bytes: Uint8Array) => parseMultiboot(imageOfBytes(bytes, 'kernel'))

function load(source: Partial<BootSource> = {}) {
  const memory = GuestMemory.ofBuffers([{ guestAddress: 0, buffer: new ArrayBuffer(RAM) }])
  const kernel = imageOfBytes(multibootKernel('addresses'))
  const entry = loadGuest(
    { kernel, initrd: undefined, commandLine: 'a b', ...source },
    { memory, ramBytes: RAM, memoryMap: memoryMap(RAM), rsdp: 0xe_0000 },
  )
  return { memory, entry }
}

test('both kinds are found by looking, and enter where they say', () => {
  for (const how of ['addresses', 'elf'] as const) {
    const found = detectKernel(imageOfBytes(multibootKernel(how)))
    assert.equal(found.kind, 'multiboot')
    assert.equal(parse(multibootKernel(how)).entry, 0x10_0020)
  }
  assert.equal(parse(multibootKernel('addresses')).segments[0]!.memorySize, 0x4000)
})

test('the information says exactly what memory there is', () => {
  const { memory, entry } = load()
  assert.deepEqual([entry.regs.rax, entry.regs.rbx], [0x2bad_b002, BOOT.multiboot.info])
  const info = (at: number) => memory.readU32(BOOT.multiboot.info + at)
  assert.equal(info(0), 1 | 4 | 64 | 512)
  assert.deepEqual([info(4), info(8)], [639, 7 * 1024])
  assert.equal(memory.readU8(info(16)), 'a'.charCodeAt(0))
  const entries: number[][] = []
  for (let at = info(48); at < info(48) + info(44); at += memory.readU32(at) + 4) {
    entries.push([memory.readU64(at + 4), memory.readU64(at + 12), memory.readU32(at + 20)])
  }
  assert.deepEqual(
    entries,
    memoryMap(RAM).map(({ start, size, type }) => [start, size, type]),
  )
  assert.ok(entries.some(([start, , type]) => start === MIB && type === 1))
})

test('a kernel may lie below 1 MiB, where nothing of the loader is', () => {
  const at = (address: number): Uint8Array => {
    const bytes = multibootKernel('addresses')
    const view = new DataView(bytes.buffer)
    for (const [field, offset] of [
      [12, 0],
      [16, 0],
      [24, 0x4000],
      [28, 0x20],
    ] as const) {
      view.setUint32(field, address + offset, true)
    }
    return bytes
  }
  const { memory, entry } = load({ kernel: imageOfBytes(at(0x9000)) })
  assert.equal(entry.regs.rip, 0x9020)
  assert.equal(memory.readU32(0x9000), 0x1bad_b002)
  for (const address of [0x500, BOOT.multiboot.info - 0x3fff, 0xf_f000]) {
    assert.throws(() => load({ kernel: imageOfBytes(at(address)) }), /own data lie/, address.toString(16))
  }
})

test('a kernel that looks for the BIOS finds how much memory there is, and calls that fail', () => {
  const { memory } = load()
  const word = (at: number): number => memory.readU8(at) + memory.readU8(at + 1) * 256
  assert.deepEqual([word(0x40e), word(0x413)], [0x9fc0, 639])
  for (const vector of [0, 0x10, 0x13, 0x15, 0xff]) {
    const at = word(vector * 4) + word(vector * 4 + 2) * 16
    assert.deepEqual([...memory.bytes(at, 3)], [0xf9, 0xca, 2])
  }
})

test('modules lie page-aligned behind the kernel, each with its text', () => {
  const file = (text: string) => imageOfBytes(new TextEncoder().encode(text), text)
  const modules = [
    { file: file('first'), text: 'first --with args' },
    { file: file('second'), text: 'second' },
  ]
  const { memory } = load({ initrd: file('initrd'), modules })
  const table = memory.readU32(BOOT.multiboot.info + 24)
  assert.equal(memory.readU32(BOOT.multiboot.info + 20), 3)
  const text = (address: number): string => {
    let end = address
    while (memory.readU8(end) !== 0) end++
    return Buffer.from(memory.bytes(address, end - address)).toString()
  }
  const seen = [0, 1, 2].map((i) => {
    const [start, end, name] = [0, 4, 8].map((field) => memory.readU32(table + i * 16 + field)) as [
      number,
      number,
      number,
    ]
    assert.equal(start % 4096, 0)
    return [Buffer.from(memory.bytes(start, end - start)).toString(), text(name)]
  })
  assert.deepEqual(seen, [
    ['initrd', 'initrd'],
    ['first', 'first --with args'],
    ['second', 'second'],
  ])
})

test('what cannot be met or does not fit is refused by name', () => {
  assert.throws(() => parse(new Uint8Array(100)), /no Multiboot header/)
  assert.throws(() => parse(multibootKernel('addresses', 4)), /graphics mode/)
  assert.throws(() => parse(multibootKernel('addresses', 8)), /0x8/)
  const broken = multibootKernel('addresses')
  new DataView(broken.buffer).setUint32(20, 0x7fff_ffff, true)
  assert.throws(() => parse(broken), /do not fit its file/)
  assert.throws(
    () => load({ kernel: imageOfBytes(new Uint8Array(4096).fill(1)), protocol: 'multiboot' }),
    BootError,
  )
})

test('every truncation is refused or loads nothing outside the file', () => {
  for (const how of ['addresses', 'elf'] as const) {
    const bytes = multibootKernel(how)
    for (let length = 1; length < bytes.length; length++) {
      try {
        for (const { fileOffset, fileSize } of parse(bytes.subarray(0, length)).segments) {
          assert.ok(fileOffset >= 0 && fileOffset + fileSize <= length)
        }
      } catch (error) {
        assert.ok(error instanceof BootError, String(error))
      }
    }
  }
})
