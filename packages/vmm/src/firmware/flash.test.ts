import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FLASH_BLOCK_BYTES, Flash } from './flash.ts'

function build() {
  const bytes = new Uint8Array(4 * FLASH_BLOCK_BYTES).fill(0xff)
  const seen: string[] = []
  const flash = new Flash(bytes, {
    readable: (memory) => seen.push(memory ? 'memory' : 'commands'),
    written: () => seen.push('written'),
  })
  return { bytes, seen, flash }
}

test('OVMF takes it for flash: a command is no datum, and the cleared status reads zero', () => {
  const { bytes, flash } = build()
  bytes[100] = 0x12
  flash.write(100, 1, 0x50)
  assert.equal(flash.read(100, 1), 0x12)
  flash.write(100, 1, 0x70)
  assert.equal(flash.read(100, 1), 0)
  flash.write(100, 1, 0xff)
  assert.equal(flash.read(100, 1), 0x12)
})

test('bytes are programmed one command each, bits only from 1 to 0, and told when the guest is done', () => {
  const { bytes, flash, seen } = build()
  for (const [at, value] of [
    [5, 0xa5],
    [6, 0x5a],
    [6, 0x0f],
  ] as const) {
    flash.write(at, 1, 0x10)
    flash.write(at, 1, value)
  }
  assert.equal(flash.read(5, 1) & 0x80, 0x80)
  flash.write(6, 1, 0xff)
  assert.deepEqual([...bytes.subarray(4, 8)], [0xff, 0xa5, 0x0a, 0xff])
  assert.equal(flash.read(4, 4), 0xff0a_a5ff)
  assert.deepEqual(seen, ['commands', 'memory', 'written'])
})

test('a block is erased by two writes; without the second nothing happens', () => {
  const { bytes, flash, seen } = build()
  bytes.fill(0)
  flash.write(FLASH_BLOCK_BYTES + 7, 1, 0x20)
  flash.write(FLASH_BLOCK_BYTES + 7, 1, 0x00)
  flash.write(0, 1, 0xff)
  assert.equal(bytes.indexOf(0xff), -1)
  flash.write(FLASH_BLOCK_BYTES + 7, 1, 0x20)
  flash.write(FLASH_BLOCK_BYTES + 7, 1, 0xd0)
  flash.write(0, 1, 0xff)
  assert.equal(bytes.indexOf(0xff), FLASH_BLOCK_BYTES)
  assert.equal(bytes.lastIndexOf(0xff), 2 * FLASH_BLOCK_BYTES - 1)
  assert.deepEqual(seen, ['commands', 'memory', 'commands', 'memory', 'written'])
})

test('whatever a guest writes where, nothing outside the chip changes', () => {
  const { bytes, flash } = build()
  const end = bytes.length
  flash.write(end - 1, 1, 0x40)
  flash.write(end - 1, 4, 0)
  flash.write(0, 1, 0x20)
  flash.write(end - 1, 1, 0xd0)
  for (let value = 0; value < 256; value++) {
    flash.write(value, 1, value)
    flash.read(end - 1, 4)
  }
  assert.equal(bytes.length, end)
})
