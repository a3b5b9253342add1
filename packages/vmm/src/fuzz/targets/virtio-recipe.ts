/** What a fuzz target of one virtio device is made of. */
import type { VirtioDevice } from '../../virtio/device.ts'
import type { ByteSource } from '../byte-source.ts'

export interface Made {
  readonly device: VirtioDevice
  readonly release?: () => void
}

/** `request` puts the right shape around chosen contents: what a driver with a bug sends. */
export interface Recipe {
  readonly name: string
  readonly about: string
  make(): Made
  request(source: ByteSource): Uint8Array
}

/** Little-endian words, with a tail of chosen bytes. */
export function words(values: readonly number[], source: ByteSource, tail: number): Uint8Array {
  const bytes = new Uint8Array(values.length * 4 + tail)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value, true)
  bytes.set(source.take(tail), values.length * 4)
  return bytes
}
