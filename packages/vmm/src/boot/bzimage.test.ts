import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBzImage } from './bzimage.ts'
import { BootError, imageOfBytes } from './image-file.ts'
import { type BzImageFields, bzImage } from './testing/images.ts'

const parse = (bytes: Uint8Array) => parseBzImage(imageOfBytes(bytes, 'vmlinuz'))
const refusal = (fields: BzImageFields): string => {
  try {
    parse(bzImage(fields))
  } catch (error) {
    assert.ok(error instanceof BootError)
    return error.message
  }
  return assert.fail('it was accepted')
}

test('a whole image gives its layout and its own header bytes', () => {
  const image = parse(bzImage({ setupSectors: 3, initSize: 0x12_3000 }))
  assert.equal(image.payloadOffset, 2048)
  assert.equal(image.payloadSize, 4096)
  assert.equal(image.preferredAddress, 0x100_0000)
  assert.equal(image.initSize, 0x12_3000)
  assert.equal(image.commandLineMax, 2047)
  assert.equal(image.header.length, 0x202 + 0x6a - 0x1f1)
  assert.equal(image.header[0], 3)
})

test('no setup sectors stands for four', () => {
  assert.equal(parse(bzImage({ setupSectors: 0 })).payloadOffset, 5 * 512)
})

test('the preferred address is 64 bits wide', () => {
  const bytes = bzImage()
  new DataView(bytes.buffer).setUint32(0x25c, 1, true)
  assert.equal(parse(bytes).preferredAddress, 0x1_0100_0000)
})

test('every kernel this machine cannot enter is named', () => {
  assert.match(refusal({ version: 0x20b }), /too old .*protocol 2\.11, needs 2\.12/)
  assert.match(refusal({ xloadflags: 0 }), /32-bit kernel/)
  assert.match(refusal({ loadflags: 0 }), /zImage/)
  assert.match(refusal({ alignment: 0 }), /kernel_alignment/)
  assert.match(refusal({ alignment: 3 }), /kernel_alignment/)
  assert.match(refusal({ headerLength: 4 }), /broken setup header/)
  assert.match(refusal({ headerLength: 0xff }), /broken setup header/)
  assert.match(refusal({ payload: new Uint8Array(16) }), /truncated/)
})

test('every truncation of an image is refused with a sentence that names the file', () => {
  const bytes = bzImage()
  for (let length = 0; length < bytes.length - 15; length++) {
    assert.throws(
      () => parse(bytes.subarray(0, length)),
      (error) => error instanceof BootError && error.message.startsWith('vmlinuz is '),
      `cut to ${length} bytes`,
    )
  }
})
