import { corrupt } from './errors.ts'
import { CLUSTER, clustersOf } from './format.ts'
import type { Qcow2Header } from './header.ts'

/** The clusters that hold header and tables. Two tables in one cluster would let writing one destroy the other. */
export function metadataClusters(
  header: Qcow2Header,
  l1: Float64Array,
  table: Float64Array,
  name: string,
): Set<number> {
  const clusters = new Set<number>([0])
  const add = (what: string, offset: number, count: number) => {
    for (let i = 0; i < count; i++) {
      const cluster = offset / CLUSTER + i
      if (clusters.has(cluster)) throw corrupt(name, `its ${what} overlaps another table`)
      clusters.add(cluster)
    }
  }
  add('refcount table', header.refcountTableOffset, header.refcountTableClusters)
  add('L1 table', header.l1Offset, clustersOf(header.l1Size * 8))
  for (const offset of table) if (offset !== 0) add('refcount block', offset, 1)
  for (const offset of l1) if (offset !== 0) add('L2 table', offset, 1)
  return clusters
}
