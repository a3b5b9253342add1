import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IrqPin } from '../io/platform.ts'
import { GuestMemory } from '../memory/guest-memory.ts'
import { GenerationId, guidBytes } from './generation-id.ts'
import { GPE_EVENT, GpeBlock, sharedPin } from './gpe.ts'

const OLD = '00112233-4455-6677-8899-aabbccddeeff'
const NEW = 'ffeeddcc-bbaa-9988-7766-554433221100'
const ADDRESS = 0x2000

function build(id: string, address?: number) {
  const memory = GuestMemory.ofBuffers([{ guestAddress: 0, buffer: new ArrayBuffer(0x4000) }])
  let told = 0
  const device = new GenerationId({ memory, id, address, notify: () => told++ })
  return { memory, device, at: () => [...memory.bytes(ADDRESS, 16)], told: () => told }
}

test('a GUID lies in memory with its first three fields little endian', () => {
  assert.equal(Buffer.from(guidBytes(OLD)).toString('hex'), '33221100554477668899aabbccddeeff')
})

test('restored as the same machine nothing changes; as another one it gets its id and is told', () => {
  const same = build(OLD)
  same.device.restore({ id: OLD, address: ADDRESS })
  assert.equal(same.told(), 0)
  assert.deepEqual(same.at(), new Array(16).fill(0))
  assert.deepEqual(same.device.save(), { id: OLD, address: ADDRESS })

  const other = build(NEW)
  other.device.restore({ id: OLD, address: ADDRESS })
  assert.equal(other.told(), 1)
  assert.deepEqual(other.at(), [...guidBytes(NEW)])
  assert.deepEqual(other.device.save(), { id: NEW, address: ADDRESS })
})

test('firmware says where it lies; what is no RAM is never written', () => {
  const { device, told } = build(NEW)
  assert.deepEqual(device.save(), { id: NEW })
  device.placed(ADDRESS)
  assert.deepEqual(device.save(), { id: NEW, address: ADDRESS })
  for (const address of [0x3ff8, 2 ** 40, 2 ** 53]) {
    device.placed(address)
    assert.deepEqual(device.save(), { id: NEW })
    device.restore({ id: OLD, address })
  }
  assert.equal(told(), 0)
})

test('an event raises the SCI while enabled until the driver clears it, beside the fixed events', () => {
  let level = false
  const line: IrqPin = {
    setLevel(asserted) {
      level = asserted
    },
  }
  const [fixed, general] = sharedPin(line, 2)
  const gpe = new GpeBlock(general!)
  gpe.raise(GPE_EVENT.generationId)
  assert.equal(level, false)
  assert.equal(gpe.read(0, 1), 1)
  gpe.write(2, 1, 0xff)
  assert.equal(level, true)
  assert.equal(gpe.read(2, 2), 1, 'only what can happen is enabled')
  fixed!.setLevel(true)
  gpe.write(0, 1, 0)
  assert.equal(gpe.read(0, 4), 0x1_0001)
  const state = gpe.save()!
  gpe.write(0, 1, 1)
  assert.equal(level, true, 'the fixed event still asks')
  fixed!.setLevel(false)
  assert.equal(level, false)
  gpe.restore(state)
  assert.equal(level, true)
  gpe.restore({ status: 0xfffe, enable: 0xfffe })
  assert.equal(gpe.read(0, 4), 0)
})
