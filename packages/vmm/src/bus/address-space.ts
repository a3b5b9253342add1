/** Devices by address, for ports and for MMIO. Lookups allocate nothing. */
import type { BusDevice, MutableBus } from './device.ts'

interface Mapping {
  readonly start: number
  readonly end: number
  readonly device: BusDevice
}

const ALL_ONES = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff } as const

export class AddressSpace implements MutableBus {
  /** Sorted by start, never overlapping. */
  private mappings: Mapping[] = []
  private last: Mapping | undefined

  add(start: number, length: number, device: BusDevice): void {
    const end = start + length
    if (!(length > 0)) throw new RangeError(`${device.name}: an empty range`)
    const other = this.mappings.find((m) => start < m.end && end > m.start)
    if (other) {
      throw new RangeError(
        `${device.name} at 0x${start.toString(16)}+${length} overlaps ${other.device.name} at 0x${other.start.toString(16)}`,
      )
    }
    this.mappings.push({ start, end, device })
    this.mappings.sort((a, b) => a.start - b.start)
  }

  remove(start: number): void {
    this.mappings = this.mappings.filter((m) => m.start !== start)
    this.last = undefined
  }

  /** `size` is 1, 2 or 4. An access that crosses the end of a device is nobody's. */
  read(address: number, size: 1 | 2 | 4): number {
    const mapping = this.find(address, size)
    if (!mapping) return ALL_ONES[size]
    const value = mapping.device.read(address - mapping.start, size)
    return size === 4 ? value >>> 0 : value & ALL_ONES[size]
  }

  write(address: number, size: 1 | 2 | 4, value: number): void {
    const mapping = this.find(address, size)
    mapping?.device.write(address - mapping.start, size, value)
  }

  private find(address: number, size: number): Mapping | undefined {
    const last = this.last
    if (last && address >= last.start && address + size <= last.end) return last
    let low = 0
    let high = this.mappings.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const mapping = this.mappings[middle]!
      if (address < mapping.start) high = middle - 1
      else if (address >= mapping.end) low = middle + 1
      else if (address + size <= mapping.end) {
        this.last = mapping
        return mapping
      } else return undefined
    }
    return undefined
  }
}
