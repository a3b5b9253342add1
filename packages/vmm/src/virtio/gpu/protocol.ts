/** VIRTIO 1.2, section 5.7: GPU device. Names and numbers as there. */

export const VIRTIO_GPU_F_EDID = 1n << 1n
export const VIRTIO_GPU_F_RESOURCE_BLOB = 1n << 3n

/** 5.7.4: struct virtio_gpu_config. */
export const CONFIG = {
  EVENTS_READ: 0,
  EVENTS_CLEAR: 4,
  NUM_SCANOUTS: 8,
  NUM_CAPSETS: 12,
  BYTES: 16,
} as const
export const VIRTIO_GPU_EVENT_DISPLAY = 1

/** 5.7.6.7: enum virtio_gpu_ctrl_type. */
export const CMD = {
  GET_DISPLAY_INFO: 0x0100,
  RESOURCE_CREATE_2D: 0x0101,
  RESOURCE_UNREF: 0x0102,
  SET_SCANOUT: 0x0103,
  RESOURCE_FLUSH: 0x0104,
  TRANSFER_TO_HOST_2D: 0x0105,
  RESOURCE_ATTACH_BACKING: 0x0106,
  RESOURCE_DETACH_BACKING: 0x0107,
  GET_EDID: 0x010a,
  RESOURCE_CREATE_BLOB: 0x010c,
  SET_SCANOUT_BLOB: 0x010d,
  UPDATE_CURSOR: 0x0300,
  MOVE_CURSOR: 0x0301,
} as const

export const RESP = {
  OK_NODATA: 0x1100,
  OK_DISPLAY_INFO: 0x1101,
  OK_EDID: 0x1104,
  ERR_UNSPEC: 0x1200,
  ERR_OUT_OF_MEMORY: 0x1201,
  ERR_INVALID_SCANOUT_ID: 0x1202,
  ERR_INVALID_RESOURCE_ID: 0x1203,
  ERR_INVALID_CONTEXT_ID: 0x1204,
  ERR_INVALID_PARAMETER: 0x1205,
} as const

/** struct virtio_gpu_ctrl_hdr: type, flags, fence_id (u64), ctx_id, ring_idx and padding. */
export const HEADER_BYTES = 24
export const VIRTIO_GPU_FLAG_FENCE = 1

/** Bytes of each request without what may follow it. */
export const REQUEST_BYTES: Readonly<Record<number, number>> = {
  [CMD.GET_DISPLAY_INFO]: 24,
  [CMD.RESOURCE_CREATE_2D]: 40,
  [CMD.RESOURCE_UNREF]: 32,
  [CMD.SET_SCANOUT]: 48,
  [CMD.RESOURCE_FLUSH]: 48,
  [CMD.TRANSFER_TO_HOST_2D]: 56,
  [CMD.RESOURCE_ATTACH_BACKING]: 32,
  [CMD.RESOURCE_DETACH_BACKING]: 32,
  [CMD.GET_EDID]: 32,
  [CMD.RESOURCE_CREATE_BLOB]: 56,
  [CMD.SET_SCANOUT_BLOB]: 96,
  [CMD.UPDATE_CURSOR]: 56,
  [CMD.MOVE_CURSOR]: 56,
}

/** 5.7.6.8: VIRTIO_GPU_MAX_SCANOUTS; the display info always has as many. */
export const MAX_SCANOUTS = 16
export const DISPLAY_INFO_BYTES = HEADER_BYTES + MAX_SCANOUTS * 24
export const EDID_RESPONSE_BYTES = HEADER_BYTES + 8 + 1024

/** struct virtio_gpu_mem_entry: u64 address, u32 length, u32 padding. */
export const MEM_ENTRY_BYTES = 16
/** Blob memory that lies in the guest's own pages. */
export const VIRTIO_GPU_BLOB_MEM_GUEST = 1

/**
 * 5.7.6.8: formats, named by their bytes in memory. The value says where each channel's byte is; alpha -1 for none.
 * All have 4 bytes a pixel.
 */
export interface PixelLayout {
  readonly red: number
  readonly green: number
  readonly blue: number
  readonly alpha: number
}

export const FORMAT: Readonly<Record<number, PixelLayout>> = {
  1: { blue: 0, green: 1, red: 2, alpha: 3 },
  2: { blue: 0, green: 1, red: 2, alpha: -1 },
  3: { alpha: 0, red: 1, green: 2, blue: 3 },
  4: { alpha: -1, red: 1, green: 2, blue: 3 },
  67: { red: 0, green: 1, blue: 2, alpha: 3 },
  68: { alpha: -1, blue: 1, green: 2, red: 3 },
  121: { alpha: 0, blue: 1, green: 2, red: 3 },
  134: { red: 0, green: 1, blue: 2, alpha: -1 },
}
export const B8G8R8A8_UNORM = 1
export const B8G8R8X8_UNORM = 2

export const BYTES_PER_PIXEL = 4
