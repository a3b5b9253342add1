import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressSpace } from './address-space.ts'

/** A device that remembers what it was asked and answers its offset. */
const recorder = (name: string) => {
  const calls: [string, number, number, number?][] = []
  return {
    name,
    calls,
    read(offset: number, size: number): number {
      calls.push(['read', offset, size])
      return 0xffff_ff00 | offset
    },
    write(offset: number, size: number, value: number): void {
      calls.push(['write', offset, size, value])
    },
  }
}

test('accesses reach the device at its offset; values are cut to the size, unsigned', () => {
  const space = new AddressSpace()
  const [low, high] = [recorder('low'), recorder('high')]
  space.add(0xfee0_0000, 0x1000, high)
  space.add(0x60, 1, low)
  assert.equal(space.read(0xfee0_0004, 4), 0xffff_ff04)
  assert.equal(space.read(0xfee0_0004, 2), 0xff04)
  assert.equal(space.read(0xfee0_0004, 1), 4)
  space.write(0x60, 1, 0xfe)
  assert.deepEqual(low.calls, [['write', 0, 1, 0xfe]])
})

test('nothing answers all ones; an access over the end of a device is nobody’s', () => {
  const space = new AddressSpace()
  const device = recorder('device')
  space.add(0x100, 4, device)
  for (const [size, ones] of [
    [1, 0xff],
    [2, 0xffff],
    [4, 0xffff_ffff],
  ] as const) {
    assert.equal(space.read(0x50, size), ones)
    assert.equal(space.read(0x104, size), ones)
  }
  assert.equal(space.read(0x103, 2), 0xffff)
  assert.equal(space.read(0xff, 2), 0xffff)
  space.write(0x102, 4, 1)
  assert.deepEqual(device.calls, [])
})

test('overlaps are refused, neighbours are not, a removed range is free again at once', () => {
  const space = new AddressSpace()
  space.add(0x100, 0x10, recorder('a'))
  for (const [start, length] of [
    [0xff, 2],
    [0x10f, 1],
    [0x100, 0x10],
    [0, 0x1000],
  ] as const) {
    assert.throws(() => space.add(start, length, recorder('b')), /overlaps a/)
  }
  assert.throws(() => space.add(0x300, 0, recorder('none')), RangeError)
  space.add(0xf0, 0x10, recorder('before'))
  space.add(0x110, 0x10, recorder('after'))
  assert.equal(space.read(0x100, 1), 0)
  space.remove(0x100)
  assert.equal(space.read(0x100, 1), 0xff)
  space.add(0x108, 4, recorder('new'))
  assert.equal(space.read(0x109, 1), 1)
})
