import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diskFirmware } from './detect.ts'

const EFI_SYSTEM = [
  0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
]

function disk(parts: { code?: boolean; mbrType?: number; gpt?: readonly number[] }): Uint8Array {
  const bytes = new Uint8Array(17 * 1024)
  bytes.set([0x55, 0xaa], 510)
  if (parts.code) bytes[0] = 0xeb
  if (parts.mbrType !== undefined) bytes[450] = parts.mbrType
  // The second of its partitions.
  if (parts.gpt) bytes.set(parts.gpt, 1024 + 128)
  return bytes
}

test('boot code means BIOS, an EFI system partition without it UEFI', () => {
  assert.equal(diskFirmware(disk({ code: true, mbrType: 0xee, gpt: EFI_SYSTEM })), 'bios')
  assert.equal(diskFirmware(disk({ mbrType: 0xee, gpt: EFI_SYSTEM })), 'uefi')
  assert.equal(diskFirmware(disk({ mbrType: 0xef })), 'uefi')
})

test('what cannot be started anyway is left to a BIOS to say so', () => {
  assert.equal(diskFirmware(new Uint8Array(0)), 'bios')
  assert.equal(diskFirmware(new Uint8Array(17 * 1024)), 'bios')
  assert.equal(diskFirmware(disk({ mbrType: 0xee })), 'bios')
  // A GPT without its protective MBR is no GPT.
  assert.equal(diskFirmware(disk({ gpt: EFI_SYSTEM })), 'bios')
  assert.equal(diskFirmware(disk({ mbrType: 0xee, gpt: EFI_SYSTEM }).subarray(0, 512)), 'bios')
})
