/**
 * The constants of the qcow2 format (QEMU's docs/interop/qcow2), for the one dialect Hearth creates and opens:
 * version 3, 64 KiB clusters, 16-bit reference counts. All numbers in the file are big endian.
 */

/** "QFI\xfb" */
export const MAGIC = 0x514649fb
export const VERSION = 3
export const CLUSTER_BITS = 16
export const CLUSTER = 65536
/** Reference counts are 1 << REFCOUNT_ORDER bits wide. */
export const REFCOUNT_ORDER = 4

/** Metadata is read, cached and written in pages of this size: one costs a few µs where a whole cluster costs tens. */
export const PAGE = 4096
export const PAGES_PER_CLUSTER = CLUSTER / PAGE

/** Guest clusters one L2 table describes: 512 MiB of disk. */
export const L2_ENTRIES = CLUSTER / 8
export const L2_ENTRIES_PER_PAGE = PAGE / 8
/** Host clusters one refcount block describes: 2 GiB of file. */
export const BLOCK_ENTRIES = CLUSTER / 2
export const BLOCK_ENTRIES_PER_PAGE = PAGE / 2

/** 16 TiB, the largest disk a VM specification may ask for. It bounds the L1 table to 256 KiB. */
export const MAX_DISK = 16 * 2 ** 40
/** A refcount table of one cluster covers 16 TiB of file; more than four are nothing Hearth makes. */
export const MAX_REFCOUNT_TABLE_CLUSTERS = 4
/** Images in a chain, the overlay included. Each costs a lookup per read of what it does not hold. */
export const MAX_CHAIN = 8
/** The format's own limit (bytes). */
export const MAX_BACKING_NAME = 1023

export const HEADER_LENGTH = { minimum: 104, ours: 112 } as const
/** Byte offsets of header fields that are written alone. */
export const HEADER_AT = { size: 24, l1Size: 36, l1Offset: 40, incompatible: 72, autoclear: 88 } as const

export const INCOMPATIBLE = {
  dirty: 1,
  corrupt: 2,
  externalData: 4,
  compressionType: 8,
  extendedL2: 16,
} as const
export const COMPATIBLE = { lazyRefcounts: 1 } as const
export const AUTOCLEAR = { bitmaps: 1, rawExternalData: 2 } as const

export const EXTENSION = {
  end: 0,
  backingFormat: 0xe2792aca,
  featureNames: 0x6803f857,
  bitmaps: 0x23852875,
  encryption: 0x0537be77,
  externalDataFile: 0x44415441,
} as const

/** Bits of an L1 or L2 entry, as the high and low 32 bits they are read by. */
export const ENTRY = {
  /** High: the reference count is exactly one, so the cluster may be written in place. */
  copied: 0x8000_0000,
  /** High, L2 only. */
  compressed: 0x4000_0000,
  /** High: reserved bits 56–61. */
  reservedHigh: 0x3f00_0000,
  offsetHigh: 0x00ff_ffff,
  /** Low, L2 only: reads as zeroes. */
  zero: 1,
} as const

export const TWO_32 = 0x1_0000_0000

export const clustersOf = (bytes: number): number => Math.ceil(bytes / CLUSTER)
/** L1 entries a disk of `size` bytes needs. */
export const l1EntriesOf = (size: number): number => Math.ceil(clustersOf(size) / L2_ENTRIES)
