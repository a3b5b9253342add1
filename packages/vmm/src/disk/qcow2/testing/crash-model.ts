/** What a disk may hold after a crash: the operations that were done to it, and which of them must have survived. */
import assert from 'node:assert/strict'
import type { NativeBuffer } from '../../../sys/native-buffer.ts'
import { IovecList } from '../../../virtio/chain.ts'
import type { DiskBackend } from '../../backend.ts'
import { CLUSTER } from '../format.ts'
import type { Qcow2Image } from '../image.ts'

import { MemoryFile } from './files.ts'
import type { GuestBuffer, Random } from './support.ts'

export const SECTOR = 512
export const ZONE_CLUSTERS = 12
const CLUSTER_SECTORS = CLUSTER / SECTOR
export const ZONE_SECTORS = (ZONE_CLUSTERS * CLUSTER) / SECTOR
/**
 * Where the tests write, in clusters: the start, across two pages of an L2 table, across two L2 tables, and a far
 * table of its own. Everything else stays empty, which keeps the images small.
 */
export const ZONES = [0, 512 - 6, 8192 - 6, 3 * 8192 + 100]
export const DISK = (3 * 8192 + 100 + ZONE_CLUSTERS) * CLUSTER

/**
 * What each sector may hold after a crash: what it held at the last flush that ended before it, or anything
 * written to it since. Values are numbers; 0 is a sector of zeroes, `stamp` makes the bytes of the others.
 */
export class History {
  /** Per sector, in order: the events the operation began and ended at, and what it left. */
  private readonly sectors: { from: number; ended: number; value: number }[][]
  private readonly flushes: { began: number; ended: number }[] = [{ began: 0, ended: 0 }]

  constructor(initial: (index: number) => number) {
    this.sectors = Array.from({ length: ZONES.length * ZONE_SECTORS }, (_, i) => [
      { from: -1, ended: -1, value: initial(i) },
    ])
  }

  /**
   * The operation begins at event `from`, and ends before anything else begins. A flush is told by `flushed` when it has
   * ended.
   */
  begin(operation: Operation, from: number): void {
    this.beginLate(operation, from)(from + 1)
  }

  /** The operation begins at event `from`; the answer is to be called with the event it ends at. */
  beginLate(operation: Operation, from: number): (ended: number) => void {
    if (operation.kind === 'flush') return () => {}
    let { first } = operation
    let end = first + operation.count
    if (operation.kind === 'discard') {
      // Whole clusters only.
      first = Math.ceil(first / CLUSTER_SECTORS) * CLUSTER_SECTORS
      end = Math.floor(end / CLUSTER_SECTORS) * CLUSTER_SECTORS
    }
    const value = operation.kind === 'write' ? operation.value : 0
    const entry = { from, ended: Number.POSITIVE_INFINITY, value }
    for (let i = first; i < end; i++) this.sectors[i]!.push(entry)
    return (ended) => {
      entry.ended = ended
    }
  }

  /** What a new process found at event `from`: after a kill, not always what was written last. */
  observe(values: Float64Array, from: number): void {
    for (const [index, value] of values.entries()) this.sectors[index]!.push({ from, ended: from + 1, value })
  }

  flushed(began: number, ended: number): void {
    this.flushes.push({ began, ended })
  }

  allowed(index: number, at: number): Set<number> {
    let durable = -1
    for (const flush of this.flushes) if (flush.ended <= at) durable = Math.max(durable, flush.began)
    const values = new Set<number>()
    for (const { from, ended, value } of this.sectors[index]!) {
      if (ended <= durable) values.clear()
      if (from < at) values.add(value)
    }
    return values
  }
}

export const offsetOf = (index: number): number =>
  ZONES[Math.floor(index / ZONE_SECTORS)]! * CLUSTER + (index % ZONE_SECTORS) * SECTOR

export function stamp(target: Uint32Array, at: number, value: number): void {
  target.fill(value, at, at + SECTOR / 4)
}

/** The value of a sector; -1 when it is a mixture, which no legal crash can make. */
function sectorValue(words: Uint32Array, at: number): number {
  const value = words[at]!
  for (let i = at + 1; i < at + SECTOR / 4; i++) if (words[i] !== value) return -1
  return value
}

export type Operation =
  | { readonly kind: 'write'; readonly first: number; readonly count: number; readonly value: number }
  | { readonly kind: 'discard'; readonly first: number; readonly count: number }
  | { readonly kind: 'zero'; readonly first: number; readonly count: number; readonly mayUnmap: boolean }
  | { readonly kind: 'flush' }

/** The next random operation; `value` is what a write writes. */
export function nextOperation(random: Random, value: number): Operation {
  const zone = random.below(ZONES.length)
  const at = random.below(ZONE_SECTORS)
  const count = 1 + random.below(Math.min(ZONE_SECTORS - at, random.chance(60) ? 24 : 3 * 128))
  const first = zone * ZONE_SECTORS + at
  const what = random.below(100)
  const mayUnmap = random.chance(50)
  if (what < 55) return { kind: 'write', first, count, value }
  if (what < 67) return { kind: 'discard', first, count }
  if (what < 82) return { kind: 'zero', first, count, mayUnmap }
  return { kind: 'flush' }
}

/** Whether they say different things about the same sectors: at once, they may end as either. */
export function overlap(a: Operation, b: Operation): boolean {
  if (a.kind === 'flush' || b.kind === 'flush') return false
  return a.first < b.first + b.count && b.first < a.first + a.count
}

/** The same as a request to a disk; a write's bytes are in `memory` until it has ended. */
export function request(disk: DiskBackend, tag: number, operation: Operation, memory: NativeBuffer): void {
  if (operation.kind === 'flush') {
    disk.flush(tag)
    return
  }
  const offset = offsetOf(operation.first)
  const length = operation.count * SECTOR
  if (operation.kind === 'discard') disk.discard(tag, offset, length)
  else if (operation.kind === 'zero') disk.zero(tag, offset, length, operation.mayUnmap)
  else {
    new Uint32Array(memory.bytes.buffer, 0, length / 4).fill(operation.value)
    const iov = new IovecList(1)
    iov.set(0, memory.address, length)
    disk.write(tag, iov, 1, offset)
  }
}

export function perform(image: Qcow2Image, guest: GuestBuffer, operation: Operation): void {
  switch (operation.kind) {
    case 'write': {
      const words = new Uint32Array((operation.count * SECTOR) / 4).fill(operation.value)
      guest.write(image, offsetOf(operation.first), new Uint8Array(words.buffer))
      break
    }
    case 'discard':
      image.discard(offsetOf(operation.first), operation.count * SECTOR)
      break
    case 'zero':
      image.writeZeroes(offsetOf(operation.first), operation.count * SECTOR, operation.mayUnmap)
      break
    case 'flush':
      image.flush()
  }
}

/** Every sector's value. */
export function readValues(image: Qcow2Image, guest: GuestBuffer): Float64Array {
  const values = new Float64Array(ZONES.length * ZONE_SECTORS)
  for (let zone = 0; zone < ZONES.length; zone++) {
    const bytes = guest.read(image, ZONES[zone]! * CLUSTER, ZONE_CLUSTERS * CLUSTER)
    const words = new Uint32Array(bytes.buffer)
    for (let i = 0; i < ZONE_SECTORS; i++)
      values[zone * ZONE_SECTORS + i] = sectorValue(words, (i * SECTOR) / 4)
  }
  return values
}

/** Fails when a sector holds what no crash at `at` may leave. */
export function verify(values: Float64Array, history: History, at: number, what: string): void {
  for (const [index, value] of values.entries()) {
    const allowed = history.allowed(index, at)
    if (!allowed.has(value)) {
      assert.fail(`${what}: sector ${index} holds ${value}, allowed are ${[...allowed].join(', ')}`)
    }
  }
}

/** What a sector of `baseImage` holds. Some of it is zero, as base images are. */
export const baseValue = (index: number): number => (Math.floor(index / 16) % 3 === 0 ? 0 : 1 + index)

/** A raw base, for images over a backing file. */
export function baseImage(): MemoryFile {
  const file = new MemoryFile(true)
  const words = new Uint32Array((ZONE_CLUSTERS * CLUSTER) / 4)
  for (const [zone, cluster] of ZONES.entries()) {
    for (let i = 0; i < ZONE_SECTORS; i++) stamp(words, (i * SECTOR) / 4, baseValue(zone * ZONE_SECTORS + i))
    file.put(cluster * CLUSTER, new Uint8Array(words.buffer))
  }
  return file
}
