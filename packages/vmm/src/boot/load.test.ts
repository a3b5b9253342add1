import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOOT, EARLY_SCREEN, memoryMap } from '../machine/layout.ts'
import { GuestMemory } from '../memory/guest-memory.ts'
import { BootError, type ImageFile, imageOfBytes } from './image-file.ts'
import { loadGuest } from './load.ts'
import { bzImage, elf } from './testing/images.ts'

const MIB = 2 ** 20
const RSDP = 0xe_0000

function load(options: {
  kernel: Uint8Array | ImageFile
  initrd?: Uint8Array
  commandLine?: string
  ram?: number
  screen?: typeof EARLY_SCREEN
}) {
  const ramBytes = options.ram ?? 64 * MIB
  const memory = GuestMemory.ofBuffers([{ guestAddress: 0, buffer: new ArrayBuffer(ramBytes) }])
  const { kernel } = options
  const entry = loadGuest(
    {
      kernel: kernel instanceof Uint8Array ? imageOfBytes(kernel, 'kernel') : kernel,
      initrd: options.initrd && imageOfBytes(options.initrd, 'initrd'),
      commandLine: options.commandLine ?? 'console=ttyS0',
    },
    { memory, ramBytes, memoryMap: memoryMap(ramBytes), rsdp: RSDP, screen: options.screen },
  )
  return { memory, entry }
}

const text = (memory: GuestMemory, at: number, length: number): string =>
  new TextDecoder().decode(memory.bytes(at, length).slice())

test('a bzImage: code at its preferred address, zero page, command line, long mode at the 64-bit entry', () => {
  const payload = Uint8Array.from({ length: 4096 }, (_, i) => i & 0xff)
  const { memory, entry } = load({ kernel: bzImage({ payload }), initrd: new Uint8Array(5000).fill(9) })
  assert.deepEqual(memory.bytes(0x100_0000, 4096), payload)
  assert.equal(entry.regs.rip, 0x100_0200)
  assert.equal(entry.regs.rsi, BOOT.zeroPage)
  assert.equal(entry.cr0, 0x8000_0031)
  assert.equal(entry.efer, 0x500)

  const page = BOOT.zeroPage
  assert.equal(memory.readU16(page + 0x1fe), 0xaa55)
  assert.equal(memory.readU8(page + 0x210), 0xff)
  assert.equal(memory.readU64(page + 0x70), RSDP)
  assert.equal(memory.readU32(page + 0x228), BOOT.commandLine)
  assert.equal(text(memory, BOOT.commandLine, 14), 'console=ttyS0\0')
  // As high as it goes, on a page.
  const initrd = memory.readU32(page + 0x218)
  assert.equal(initrd, 64 * MIB - 8192)
  assert.equal(memory.readU32(page + 0x21c), 5000)
  assert.equal(memory.readU8(initrd + 4999), 9)
  const entries = memory.readU8(page + 0x1e8)
  assert.equal(entries, memoryMap(64 * MIB).length)
  assert.equal(memory.readU64(page + 0x2d0 + 20 * 3), MIB)
  assert.equal(memory.readU64(page + 0x2d0 + 20 * 3 + 8), 63 * MIB)
})

test('a screen: its frame buffer as Linux’s boot protocol tells it, and nothing of one without', () => {
  const page = BOOT.zeroPage
  assert.ok(
    load({ kernel: bzImage() })
      .memory.bytes(page, 0x40)
      .every((byte) => byte === 0),
  )
  const { memory } = load({ kernel: bzImage(), screen: EARLY_SCREEN })
  // struct screen_info: a linear frame buffer (VIDEO_TYPE_VLFB), 32 bits, 8 each of red, green and blue.
  assert.equal(memory.readU8(page + 0x0f), 0x23)
  assert.deepEqual(
    [0x12, 0x14, 0x16, 0x24].map((at) => memory.readU16(page + at)),
    [1280, 800, 32, 5120],
  )
  assert.equal(memory.readU32(page + 0x18), EARLY_SCREEN.address)
  assert.equal(memory.readU32(page + 0x1c) * 65536, EARLY_SCREEN.bytes)
  assert.deepEqual([...memory.bytes(page + 0x26, 8)], [8, 16, 8, 8, 8, 0, 8, 24])
})

test('the page tables map the first 4 GiB onto themselves', () => {
  const { memory, entry } = load({ kernel: bzImage() })
  const walk = (address: number): number => {
    const table = (at: number): number => memory.readU64(at) - (memory.readU64(at) % 4096)
    const pdpt = table(entry.cr3)
    const directory = table(pdpt + Math.floor(address / 2 ** 30) * 8)
    const leaf = memory.readU64(directory + (Math.floor(address / 2 ** 21) % 512) * 8)
    assert.equal(leaf % 256, 0x83)
    return leaf - (leaf % 2 ** 21)
  }
  for (const address of [0, 0x100_0000, 0xbfe0_0000, 0xffe0_0000]) assert.equal(walk(address), address)
  const code = memory.bytes(entry.gdt.base + entry.code.selector, 8)
  assert.deepEqual([...code], [0xff, 0xff, 0, 0, 0, 0x9b, 0xaf, 0])
})

test('a bzImage has room from its preferred address on or is refused, though it could be loaded lower', () => {
  // Linux moves to that address before it unpacks itself, wherever it was loaded.
  const low = { ram: 16 * MIB }
  assert.throws(() => load({ kernel: bzImage(), ...low }), /needs memory up to 18 MiB, the VM has 16 MiB/)
  assert.throws(() => load({ kernel: bzImage({ initSize: 0xffff_ffff }) }), /give it more with --memory/)
  const above4G = bzImage()
  new DataView(above4G.buffer).setUint32(0x25c, 0xffff, true)
  assert.throws(() => load({ kernel: above4G }), /give it more with --memory/)
  assert.equal(load({ kernel: bzImage({ preferredAddress: 0x1_0000 }) }).entry.regs.rip, 0x20_0200)
})

test('Linux as an ELF is entered by its own protocol where there is a screen to tell it of, another kernel by PVH', () => {
  const fields = { pvhEntry: 0x10_0010, noteAlignment: 8 } as const
  const linux = elf({ ...fields, linuxNote: true })
  const shown = load({ kernel: linux, screen: EARLY_SCREEN })
  assert.equal(shown.entry.regs.rip, 0x10_0000)
  assert.equal(shown.memory.readU32(BOOT.zeroPage + 0x18), EARLY_SCREEN.address)
  assert.equal(load({ kernel: linux }).entry.regs.rip, 0x10_0010)
  assert.equal(load({ kernel: elf(fields), screen: EARLY_SCREEN }).entry.regs.rip, 0x10_0010)
})

test('an ELF with a PVH note starts there, in protected mode, with start info in EBX', () => {
  const data = Uint8Array.from({ length: 300 }, (_, i) => i & 0xff)
  const kernel = elf({ segments: [{ address: 0x10_0000, data, memorySize: 9000 }], pvhEntry: 0x10_0010 })
  const { memory, entry } = load({ kernel, initrd: new Uint8Array(10) })
  assert.deepEqual(memory.bytes(0x10_0000, 300), data)
  assert.equal(entry.regs.rip, 0x10_0010)
  assert.equal(entry.cr0, 0x11)
  assert.equal(entry.efer, 0)
  const info = entry.regs.rbx!
  assert.equal(memory.readU32(info), 0x336e_c578)
  assert.equal(memory.readU32(info + 12), 1)
  const module = memory.readU64(info + 16)
  assert.equal(memory.readU64(module), 64 * MIB - 4096)
  assert.equal(memory.readU64(module + 8), 10)
  assert.equal(memory.readU64(info + 24), BOOT.commandLine)
  assert.equal(memory.readU64(info + 32), RSDP)
  const map = memory.readU64(info + 40)
  assert.equal(memory.readU32(info + 48), memoryMap(64 * MIB).length)
  assert.equal(memory.readU32(map + 16), 1)
  assert.equal(memory.readU32(map + 24 + 16), 2)
})

test('an ELF without the note starts at its 64-bit entry with a zero page that has the magic', () => {
  const { memory, entry } = load({ kernel: elf() })
  assert.equal(entry.regs.rip, 0x10_0000)
  assert.equal(entry.efer, 0x500)
  assert.equal(memory.readU32(BOOT.zeroPage + 0x202), 0x5372_6448)
})

test('ELF segments outside of RAM and entries nowhere are refused', () => {
  const data = new Uint8Array(16)
  assert.throws(
    () => load({ kernel: elf({ segments: [{ address: 0x9000, data }] }) }),
    /where this machine's own data lie/,
  )
  assert.throws(
    () => load({ kernel: elf({ segments: [{ address: 64 * MIB - 8, data }] }) }),
    /needs memory up to 65 MiB/,
  )
  assert.throws(
    () => load({ kernel: elf({ entry: 0x30_0000 }) }),
    /starts at 0x300000, where it loads nothing/,
  )
  assert.throws(() => load({ kernel: elf({ pvhEntry: 0x30_0000 }) }), /starts at 0x300000/)
})

test('an initrd that does not fit beside the kernel is refused, one that just fits is not', () => {
  const kernel = bzImage({ initSize: 0x20_0000 })
  const room = 64 * MIB - 0x120_0000
  assert.equal(
    load({ kernel, initrd: new Uint8Array(room) }).memory.readU32(BOOT.zeroPage + 0x218),
    0x120_0000,
  )
  assert.throws(
    () => load({ kernel, initrd: new Uint8Array(room + 1) }),
    /^BootError: initrd \(47 MiB\) does not fit into 64 MiB/,
  )
  assert.throws(() => load({ kernel, initrd: new Uint8Array(0) }), /initrd is empty/)
  // Between 1 MiB and the kernel, when there is no room behind it.
  const tight = { kernel: bzImage({ initSize: 0x20_0000 }), ram: 18 * MIB }
  const { memory } = load({ ...tight, initrd: new Uint8Array(5000).fill(9) })
  assert.equal(memory.readU32(BOOT.zeroPage + 0x218), 16 * MIB - 8192)
  assert.equal(memory.readU8(16 * MIB - 8192 + 4999), 9)
  load({ ...tight, initrd: new Uint8Array(15 * MIB) })
  assert.throws(
    () => load({ ...tight, initrd: new Uint8Array(15 * MIB + 1) }),
    /initrd \(16 MiB\) does not fit/,
  )
  const bounded = bzImage({ initrdMax: 0x1ff_ffff })
  assert.equal(
    load({ kernel: bounded, initrd: new Uint8Array(100) }).memory.readU32(BOOT.zeroPage + 0x218),
    0x1ff_f000,
  )
})

test('a command line longer than the kernel takes is refused', () => {
  load({ kernel: bzImage(), commandLine: 'x'.repeat(2047) })
  assert.throws(
    () => load({ kernel: bzImage(), commandLine: 'x'.repeat(2048) }),
    /2048 bytes, this kernel takes 2047/,
  )
  assert.throws(() => load({ kernel: elf(), commandLine: 'x'.repeat(0x1_0000) }), /shorten --cmdline/)
})

test('a file that shrinks while it is read is an error', () => {
  const whole = bzImage()
  const shrinking: ImageFile = { ...imageOfBytes(whole.subarray(0, 3000), 'kernel'), size: whole.length }
  assert.throws(() => load({ kernel: shrinking }), /kernel is truncated: it ends at byte 3000/)
})

test('what is no kernel at all is refused by content', () => {
  for (const bytes of [
    new Uint8Array(0),
    new Uint8Array([1, 2, 3]),
    new TextEncoder().encode('#!/bin/sh\n'.repeat(99)),
  ]) {
    assert.throws(() => load({ kernel: bytes }), BootError)
  }
})
