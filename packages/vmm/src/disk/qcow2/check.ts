import { checkL2Entry, readL1Table } from './cluster-map.ts'
import { Qcow2Error } from './errors.ts'
import { BLOCK_ENTRIES, CLUSTER, clustersOf, ENTRY, L2_ENTRIES, TWO_32 } from './format.ts'
import type { Qcow2Header } from './header.ts'
import type { ImageFile } from './image-file.ts'
import { metadataClusters } from './metadata.ts'
import { readRefcountTable } from './refcounts.ts'

/** What a check found. An image with leaks only is sound: it takes more space than it needs. */
export interface CheckReport {
  /** Clusters whose count is higher than their use. */
  leaks: number
  /** Every contradiction, the first few of them in words. */
  corruptions: number
  readonly messages: string[]
  /** Guest clusters with a host cluster of their own. */
  allocatedClusters: number
}

const MAX_MESSAGES = 20

/**
 * Compares the reference counts of an image with what its tables refer to. Reads all metadata, and takes one bit
 * a cluster of the file. With `repair`, leaked clusters are given back (safe at any moment: nothing refers to
 * them); corruption is never repaired. Damaged tables are reported as corruption, not thrown.
 */
export function checkImage(file: ImageFile, header: Qcow2Header, name: string, repair: boolean): CheckReport {
  const report: CheckReport = { leaks: 0, corruptions: 0, messages: [], allocatedClusters: 0 }
  // What a killed process wrote may not be durable yet. A cluster is free only when no table that a power cut could
  // bring back refers to it.
  if (repair) file.sync()
  const wrong = (message: string) => {
    report.corruptions++
    if (report.messages.length < MAX_MESSAGES) report.messages.push(message)
  }
  try {
    const l1 = readL1Table(file, header, name)
    const table = readRefcountTable(file, header, name)
    const metadata = metadataClusters(header, l1, table, name)
    // What no table can count is not in the image, however long the file claims to be.
    const end = Math.min(clustersOf(file.size()), table.length * BLOCK_ENTRIES)
    const used = new Uint8Array(Math.ceil(end / 8))
    const use = (cluster: number) => {
      const bit = 1 << (cluster & 7)
      const at = cluster >>> 3
      if ((used[at]! & bit) !== 0) return false
      used[at]! |= bit
      return true
    }
    for (const cluster of metadata) {
      if (cluster >= end) wrong(`table cluster ${cluster} is past the end of the file`)
      else use(cluster)
    }
    const bytes = new Uint8Array(CLUSTER)
    const view = new DataView(bytes.buffer)
    for (const offset of l1) {
      if (offset === 0) continue
      file.read(offset, bytes)
      for (let i = 0; i < L2_ENTRIES; i++) {
        const high = view.getUint32(i * 8)
        const low = view.getUint32(i * 8 + 4)
        if ((high | low) === 0) continue
        try {
          checkL2Entry(high, low, metadata, end, name)
        } catch (error) {
          if (!(error instanceof Qcow2Error)) throw error
          wrong(error.message)
          continue
        }
        const host = (high & ENTRY.offsetHigh) * TWO_32 + (low - (low & ENTRY.zero))
        if (host === 0) continue
        report.allocatedClusters++
        if (!use(host / CLUSTER)) wrong(`cluster ${host / CLUSTER} holds two guest clusters`)
      }
    }
    report.leaks = compareCounts(file, table, used, end, false, wrong)
    // A damaged image is left as it is: what looks like a leak may be what can be saved from it.
    if (repair && report.leaks > 0 && report.corruptions === 0) {
      compareCounts(file, table, used, end, true, wrong)
      file.sync()
    }
  } catch (error) {
    if (!(error instanceof Qcow2Error)) throw error
    wrong(error.message)
  }
  return report
}

/** Returns how many clusters are counted too often. */
function compareCounts(
  file: ImageFile,
  table: Float64Array,
  used: Uint8Array,
  end: number,
  repair: boolean,
  wrong: (message: string) => void,
): number {
  const bytes = new Uint8Array(CLUSTER)
  const view = new DataView(bytes.buffer)
  let leaks = 0
  let leakStart = 0
  let leakCount = 0
  const punch = () => {
    if (repair && leakCount > 0) file.punch(leakStart * CLUSTER, leakCount * CLUSTER)
    leakCount = 0
  }
  for (let block = 0; block < table.length; block++) {
    const base = block * BLOCK_ENTRIES
    const offset = table[block]!
    if (offset === 0) {
      for (let cluster = base; cluster < Math.min(base + BLOCK_ENTRIES, end); cluster++) {
        if ((used[cluster >>> 3]! & (1 << (cluster & 7))) !== 0) {
          wrong(`cluster ${cluster} is in use, and no refcount block counts it`)
        }
      }
      continue
    }
    file.read(offset, bytes)
    const before = leaks
    for (let i = 0; i < BLOCK_ENTRIES; i++) {
      const cluster = base + i
      const count = view.getUint16(i * 2)
      const uses = cluster < end && (used[cluster >>> 3]! & (1 << (cluster & 7))) !== 0 ? 1 : 0
      if (count === uses) continue
      if (count < uses) {
        wrong(`cluster ${cluster} is in use but counted as free`)
        continue
      }
      leaks++
      view.setUint16(i * 2, uses)
      if (uses === 1 || cluster >= end) continue
      if (leakStart + leakCount !== cluster) {
        punch()
        leakStart = cluster
      }
      leakCount++
    }
    if (repair && leaks > before) file.write(offset, bytes)
  }
  punch()
  return leaks
}
