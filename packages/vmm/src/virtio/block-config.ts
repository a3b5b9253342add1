import type { DiskBackend } from '../disk/backend.ts'
import { DeviceConfig } from './device-config.ts'

/** VIRTIO 1.2, section 5.2. */
export const SECTOR = 512
export const ID_BYTES = 20
export const QUEUE_SIZE = 256
/** Of all queues together: what a backend has room for. */
export const MAX_IN_FLIGHT = 256

/** Section 5.2.6. */
export const BLOCK_T = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8, DISCARD: 11, WRITE_ZEROES: 13 } as const
export const BLOCK_STATUS = { OK: 0, IOERR: 1, UNSUPP: 2 } as const
export const WRITE_ZEROES_FLAG_UNMAP = 1

/** Section 5.2.3. */
export const BLOCK_F = {
  SEG_MAX: 1n << 2n,
  RO: 1n << 5n,
  BLK_SIZE: 1n << 6n,
  FLUSH: 1n << 9n,
  TOPOLOGY: 1n << 10n,
  CONFIG_WCE: 1n << 11n,
  MQ: 1n << 12n,
  DISCARD: 1n << 13n,
  WRITE_ZEROES: 1n << 14n,
} as const

/** One range is at most 2 GiB, so that no single call holds a disk for long; a request has at most 32. */
export const DISCARD_LIMITS = { sectors: 2 ** 22, segments: 32 } as const

/** Offsets in struct virtio_blk_config (section 5.2.4). */
const FIELD = {
  CAPACITY: 0,
  SEG_MAX: 12,
  BLK_SIZE: 20,
  PHYSICAL_BLOCK_EXP: 24,
  MIN_IO_SIZE: 26,
  OPT_IO_SIZE: 28,
  WRITEBACK: 32,
  NUM_QUEUES: 34,
  MAX_DISCARD_SECTORS: 36,
  MAX_DISCARD_SEG: 40,
  DISCARD_SECTOR_ALIGNMENT: 44,
  MAX_WRITE_ZEROES_SECTORS: 48,
  MAX_WRITE_ZEROES_SEG: 52,
  WRITE_ZEROES_MAY_UNMAP: 56,
} as const
const LENGTH = 60

/** The configuration structure and the features that go with it. `setWriteBack` hears of the driver's choice of cache mode. */
export function blockConfig(
  backend: DiskBackend,
  readOnly: boolean,
  queues: number,
  setWriteBack: (writeBack: boolean) => void,
): { config: DeviceConfig; features: bigint } {
  const config = new DeviceConfig(LENGTH, (offset, size, value) => {
    if (offset !== FIELD.WRITEBACK || size !== 1) return
    config.view.setUint8(FIELD.WRITEBACK, value & 1)
    setWriteBack((value & 1) === 1)
  })
  const { view } = config
  const physicalSectors = backend.physicalBlockBytes / SECTOR
  config.setU64(FIELD.CAPACITY, Math.floor(backend.sizeBytes / SECTOR))
  // A request also has a header and a status descriptor.
  view.setUint32(FIELD.SEG_MAX, QUEUE_SIZE - 2, true)
  view.setUint32(FIELD.BLK_SIZE, SECTOR, true)
  view.setUint8(FIELD.PHYSICAL_BLOCK_EXP, Math.log2(physicalSectors))
  view.setUint16(FIELD.MIN_IO_SIZE, physicalSectors, true)
  view.setUint8(FIELD.WRITEBACK, 1)
  view.setUint16(FIELD.NUM_QUEUES, queues, true)

  let features = BLOCK_F.SEG_MAX | BLOCK_F.BLK_SIZE | BLOCK_F.FLUSH | BLOCK_F.TOPOLOGY | BLOCK_F.CONFIG_WCE
  if (queues > 1) features |= BLOCK_F.MQ
  if (readOnly) return { config, features: features | BLOCK_F.RO }
  if (backend.canDiscard) {
    features |= BLOCK_F.DISCARD
    view.setUint32(FIELD.MAX_DISCARD_SECTORS, DISCARD_LIMITS.sectors, true)
    view.setUint32(FIELD.MAX_DISCARD_SEG, DISCARD_LIMITS.segments, true)
    view.setUint32(FIELD.DISCARD_SECTOR_ALIGNMENT, physicalSectors, true)
  }
  if (backend.canZero) {
    features |= BLOCK_F.WRITE_ZEROES
    view.setUint32(FIELD.MAX_WRITE_ZEROES_SECTORS, DISCARD_LIMITS.sectors, true)
    view.setUint32(FIELD.MAX_WRITE_ZEROES_SEG, DISCARD_LIMITS.segments, true)
    view.setUint8(FIELD.WRITE_ZEROES_MAY_UNMAP, 1)
  }
  return { config, features }
}
