/**
 * The VM generation ID (Microsoft, "Virtual Machine Generation ID"; qemu docs/specs/vmgenid.rst): 16 bytes of guest
 * memory that are another value whenever the guest is not the only one with this past (it was restored again, copied,
 * cloned). A guest that is told so makes new random numbers and drops sessions whose keys a twin has, too.
 */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import type { GuestMemory } from '../memory/guest-memory.ts'

export const GENERATION_ID_BYTES = 16

/** A GUID as it lies in memory: the first three of its fields are little endian (RFC 9562 calls that a Microsoft GUID). */
export function guidBytes(uuid: string): Uint8Array {
  const digits = uuid.replaceAll('-', '')
  const bytes = Uint8Array.from({ length: GENERATION_ID_BYTES }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  )
  for (const [start, end] of [
    [0, 4],
    [4, 6],
    [6, 8],
  ] as const) {
    bytes.subarray(start, end).reverse()
  }
  return bytes
}

export interface GenerationIdOptions {
  readonly memory: GuestMemory
  /** What this machine is to be known by: a UUID in lower case. */
  readonly id: string
  /** Guest address of the 16 bytes; absent while firmware has not said where it put them. */
  readonly address?: number | undefined
  /** Tells the guest that the bytes changed. */
  readonly notify: () => void
}

export class GenerationId {
  private readonly memory: GuestMemory
  private readonly id: string
  private readonly notify: () => void
  private address: number | undefined

  constructor({ memory, id, address, notify }: GenerationIdOptions) {
    this.memory = memory
    this.id = id
    this.address = address
    this.notify = notify
  }

  /** Firmware says where it put the bytes. An address that is no RAM is forgotten: the guest only harms itself. */
  placed(address: number): void {
    this.address = this.memory.contains(address, GENERATION_ID_BYTES) ? address : undefined
  }

  save(): ChipsetState['generation-id'] {
    const { id, address } = this
    return { id, ...(address === undefined ? {} : { address }) }
  }

  /** Memory has what `state` says; if this machine is another one, it gets its own id, and the guest hears of it. */
  restore(state: NonNullable<ChipsetState['generation-id']>): void {
    this.address = undefined
    if (state.address !== undefined) this.placed(state.address)
    if (state.id === this.id || this.address === undefined) return
    this.memory.write(this.address, guidBytes(this.id))
    this.notify()
  }
}
