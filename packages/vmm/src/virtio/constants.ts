/** Numbers of the VIRTIO 1.2 specification, by their names there. */

/** Section 2.1, Device Status Field. */
export const STATUS = {
  ACKNOWLEDGE: 1,
  DRIVER: 2,
  DRIVER_OK: 4,
  FEATURES_OK: 8,
  DEVICE_NEEDS_RESET: 64,
  FAILED: 128,
} as const

/** Section 6, Reserved Feature Bits: the ones a transport offers for every device. */
export const VIRTIO_F_RING_INDIRECT_DESC = 1n << 28n
export const VIRTIO_F_RING_EVENT_IDX = 1n << 29n
export const VIRTIO_F_VERSION_1 = 1n << 32n

/** Section 2.7.5, The Virtqueue Descriptor Table. */
export const VIRTQ_DESC_F = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const
/** Section 2.7.6. */
export const VIRTQ_AVAIL_F_NO_INTERRUPT = 1
/** Section 2.7.8. */
export const VIRTQ_USED_F_NO_NOTIFY = 1
/** Section 2.7: the queue size is a power of 2 of at most this. */
export const MAX_QUEUE_SIZE = 32768

/** Section 5, Device Types. */
export const DEVICE_ID = {
  NET: 1,
  BLOCK: 2,
  CONSOLE: 3,
  ENTROPY: 4,
  BALLOON: 5,
  SCSI: 8,
  GPU: 16,
  INPUT: 18,
  VSOCK: 19,
  FS: 26,
} as const

/** Section 4.1.5.1.2: "no vector". */
export const VIRTIO_MSI_NO_VECTOR = 0xffff
