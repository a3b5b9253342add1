import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootCode, embeddedCore } from './grub-bios.ts'

test('the boot code keeps out of the partition table and names the sector of core.img', () => {
  const bootImg = Buffer.alloc(512, 0x11)
  const code = bootCode(bootImg, 0x1234)
  assert.equal(code.length, 440)
  assert.equal(code.readBigUInt64LE(0x5c), 0x1234n)
  assert.deepEqual([...code.subarray(0x66, 0x68)], [0x90, 0x90])
  assert.equal(bootImg[0x66], 0x11, 'the source stays as it was')
  assert.throws(() => bootCode(Buffer.alloc(440), 1), RangeError)
})

test('core.img is told where its own second sector lies and how much there is', () => {
  const coreImg = Buffer.alloc(3 * 512 + 100)
  coreImg.writeUInt16LE(0x820, 510)
  const core = embeddedCore(coreImg, 2048, 2048)
  assert.equal(core.length, 4 * 512)
  assert.equal(core.readBigUInt64LE(500), 2049n)
  assert.equal(core.readUInt16LE(508), 3)
  assert.throws(() => embeddedCore(coreImg, 2048, 3), /needs 4 sectors/)
  assert.throws(() => embeddedCore(Buffer.alloc(1024), 2048, 2048), /does not begin with diskboot/)
})
