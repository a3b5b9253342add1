/**
 * The driver side of a split virtqueue (VIRTIO 1.2, section 2.7), built by hand for tests: it puts descriptors
 * where it likes, right or wrong, and reads what the device returned.
 */
import type { GuestMemory } from '../../memory/guest-memory.ts'
import { VIRTQ_DESC_F } from '../constants.ts'

export interface TestDescriptor {
  readonly address: number
  readonly length: number
  readonly writable?: boolean
}

export class TestQueue {
  readonly memory: GuestMemory
  readonly size: number
  readonly descriptors: number
  readonly available: number
  readonly used: number
  /** What comes after the rings. */
  readonly end: number
  private nextDescriptor = 0
  private availableIndex = 0
  private seenUsed = 0

  constructor(memory: GuestMemory, at: number, size: number) {
    this.memory = memory
    this.size = size
    this.descriptors = at
    this.available = at + size * 16
    this.used = (this.available + 6 + size * 2 + 3) & ~3
    this.end = (this.used + 6 + size * 8 + 4095) & ~4095
    memory.fill(at, this.end - at, 0)
  }

  layout(options: { eventIndex?: boolean; indirect?: boolean } = {}) {
    return {
      size: this.size,
      descriptors: this.descriptors,
      available: this.available,
      used: this.used,
      eventIndex: options.eventIndex ?? false,
      indirect: options.indirect ?? false,
    }
  }

  /** Writes entry `index` of the table at `table`. */
  put(
    index: number,
    address: number,
    length: number,
    flags: number,
    next: number,
    table = this.descriptors,
  ): void {
    const at = table + index * 16
    this.memory.writeU64(at, address)
    this.memory.writeU32(at + 8, length)
    this.memory.writeU16(at + 12, flags)
    this.memory.writeU16(at + 14, next)
  }

  /** Chains `parts` in the next free entries and makes them available; returns the head. */
  add(parts: readonly TestDescriptor[]): number {
    const head = this.nextDescriptor
    for (const [i, part] of parts.entries()) {
      const index = this.nextDescriptor
      this.nextDescriptor = (this.nextDescriptor + 1) % this.size
      const more = i + 1 < parts.length
      const flags = (more ? VIRTQ_DESC_F.NEXT : 0) | (part.writable ? VIRTQ_DESC_F.WRITE : 0)
      this.put(index, part.address, part.length, flags, more ? this.nextDescriptor : 0)
    }
    this.offer(head)
    return head
  }

  /** Puts `parts` in an indirect table at `table` and makes one descriptor that leads there available. */
  addIndirect(table: number, parts: readonly TestDescriptor[]): number {
    for (const [i, part] of parts.entries()) {
      const more = i + 1 < parts.length
      const flags = (more ? VIRTQ_DESC_F.NEXT : 0) | (part.writable ? VIRTQ_DESC_F.WRITE : 0)
      this.put(i, part.address, part.length, flags, more ? i + 1 : 0, table)
    }
    const head = this.nextDescriptor
    this.nextDescriptor = (this.nextDescriptor + 1) % this.size
    this.put(head, table, parts.length * 16, VIRTQ_DESC_F.INDIRECT, 0)
    this.offer(head)
    return head
  }

  /** Makes the chain that begins at `head` available. */
  offer(head: number): void {
    this.memory.writeU16(this.available + 4 + (this.availableIndex % this.size) * 2, head)
    this.setAvailableIndex(this.availableIndex + 1)
  }

  setAvailableIndex(value: number): void {
    this.availableIndex = value & 0xffff
    this.memory.writeU16(this.available + 2, this.availableIndex)
  }

  get usedIndex(): number {
    return this.memory.readU16(this.used + 2)
  }

  /** The used elements that came since the last call. */
  takeUsed(): { id: number; length: number }[] {
    const elements = []
    while (this.seenUsed !== this.usedIndex) {
      const at = this.used + 4 + (this.seenUsed % this.size) * 8
      elements.push({ id: this.memory.readU32(at), length: this.memory.readU32(at + 4) })
      this.seenUsed = (this.seenUsed + 1) & 0xffff
    }
    return elements
  }

  /** The device's wish: notify when the available index passes this (EVENT_IDX). */
  get availEvent(): number {
    return this.memory.readU16(this.used + 4 + this.size * 8)
  }

  set usedEvent(value: number) {
    this.memory.writeU16(this.available + 4 + this.size * 2, value & 0xffff)
  }
}

/** A small fast generator with a fixed seed (mulberry32): the same test every time. Returns [0, below). */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000) * below)
  }
}
