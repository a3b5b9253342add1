import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GuestMemory } from '../memory/guest-memory.ts'
import { FW_CFG, FwCfg } from './fw-cfg.ts'

const SELECTOR = 0
const DATA = 1
const DMA_LOW = 8
const swap = (value: number): number => Buffer.from(Uint32Array.of(value).buffer).readUInt32BE(0)

function build() {
  const memory = GuestMemory.ofBuffers([{ guestAddress: 0, buffer: new ArrayBuffer(4096) }])
  const config = new FwCfg(memory)
  const bytes = (count: number): string =>
    String.fromCharCode(...Array.from({ length: count }, () => config.read(DATA, 1)))
  /** Answers the control word left behind: 0 when all went well. */
  const dma = (control: number, length: number, address: number, at = 0x100): number => {
    const access = Buffer.alloc(16)
    access.writeUInt32BE(control, 0)
    access.writeUInt32BE(length, 4)
    access.writeBigUInt64BE(BigInt(address), 8)
    memory.write(at, access)
    config.write(DMA_LOW, 4, swap(at))
    return swap(memory.readU32(at))
  }
  return { memory, config, bytes, dma }
}

test('it is found by its signature and says that it has DMA; what is not there reads zero', () => {
  const { config, bytes } = build()
  config.write(SELECTOR, 2, FW_CFG.SIGNATURE)
  assert.equal(bytes(6), 'QEMU\0\0')
  config.write(SELECTOR, 2, FW_CFG.ID)
  assert.equal(config.read(DATA, 1), 3)
  config.write(SELECTOR, 2, 0x7777)
  assert.equal(bytes(2), '\0\0')
})

test('files are found through the directory, and read by DMA with skip and select', () => {
  const { config, memory, bytes, dma } = build()
  config.addFile('etc/one', new TextEncoder().encode('first'))
  config.addFile('etc/two', { size: 6, make: () => new TextEncoder().encode('second') })
  config.write(SELECTOR, 2, FW_CFG.FILE_DIR)
  assert.equal(bytes(4), '\0\0\0\x02')
  assert.equal(bytes(64).replace(/\0+$/, ''), '\0\0\0\x05\0\x20\0\0etc/one')
  assert.equal(bytes(64).replace(/\0+$/, ''), '\0\0\0\x06\0\x21\0\0etc/two')
  assert.equal(dma((0x21 << 16) | 8 | 4, 3, 0), 0)
  assert.equal(dma(2, 8, 0x200), 0)
  assert.equal(Buffer.from(memory.bytes(0x200, 8)).toString(), 'ond\0\0\0\0\0')
})

test('a file the guest may write takes what DMA brings, within its size', () => {
  const { config, memory, dma } = build()
  const content = new Uint8Array(8)
  let told = 0
  config.addFile('etc/fixed', Uint8Array.of(1))
  config.addFile('etc/told', content, () => told++)
  memory.write(0x200, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))
  const write = (0x21 << 16) | 8 | 16
  assert.equal(dma(write, 4, 0x200), 0)
  assert.equal(dma(16, 4, 0x204), 0)
  assert.deepEqual([...content], [1, 2, 3, 4, 5, 6, 7, 8])
  assert.equal(told, 2)
  assert.equal(dma(16, 1, 0x200), 1, 'behind its end')
  assert.equal(dma(write, 9, 0x200), 1)
  assert.equal(dma(write, 8, 0xffc), 1, 'from outside RAM')
  assert.equal(dma((0x20 << 16) | 8 | 16, 1, 0x200), 1, 'a file that stays as it is')
  assert.equal(told, 2)
})

test('DMA outside RAM and writes end in the error bit; a lost descriptor in nothing', () => {
  const { dma, config } = build()
  assert.equal(dma(2 | 8, 4096, 0x800), 1)
  assert.equal(dma(2, 4, 2 ** 40), 1)
  assert.equal(dma(16, 4, 0x200), 1)
  config.write(DMA_LOW, 4, 0xffff_ffff)
})
