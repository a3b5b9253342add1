/** Numbers of SCSI (SPC-5, SBC-4, MMC-6) and of virtio's transport for it (VIRTIO 1.2, 5.6), by their names there. */

export const OPERATION = {
  TEST_UNIT_READY: 0x00,
  REQUEST_SENSE: 0x03,
  INQUIRY: 0x12,
  MODE_SENSE_6: 0x1a,
  START_STOP_UNIT: 0x1b,
  PREVENT_ALLOW_MEDIUM_REMOVAL: 0x1e,
  READ_CAPACITY_10: 0x25,
  READ_10: 0x28,
  READ_TOC: 0x43,
  GET_CONFIGURATION: 0x46,
  GET_EVENT_STATUS_NOTIFICATION: 0x4a,
  READ_DISC_INFORMATION: 0x51,
  MODE_SENSE_10: 0x5a,
  REPORT_LUNS: 0xa0,
  READ_12: 0xa8,
} as const

export interface Sense {
  readonly key: number
  /** Additional sense code and qualifier. */
  readonly code: number
  readonly qualifier: number
}
const sense = (key: number, code: number, qualifier = 0): Sense => ({ key, code, qualifier })
export const SENSE = {
  NONE: sense(0, 0),
  MEDIUM_NOT_PRESENT: sense(2, 0x3a),
  READ_ERROR: sense(3, 0x11),
  INVALID_OPERATION: sense(5, 0x20),
  LBA_OUT_OF_RANGE: sense(5, 0x21),
  INVALID_FIELD: sense(5, 0x24),
  REMOVAL_PREVENTED: sense(5, 0x53, 0x02),
  MEDIUM_CHANGED: sense(6, 0x28),
} as const

export const STATUS_GOOD = 0
export const STATUS_CHECK_CONDITION = 2

/** Section 5.6.6.1. */
export const RESPONSE = { OK: 0, BAD_TARGET: 3, FAILURE: 9 } as const
export const SENSE_BYTES = 96
export const CDB_BYTES = 32
/** struct virtio_scsi_cmd_req up to its CDB, and with it. */
export const REQUEST_HEADER_BYTES = 19
export const REQUEST_BYTES = REQUEST_HEADER_BYTES + CDB_BYTES
/** struct virtio_scsi_cmd_resp: sense_len, residual, status_qualifier, status, response, sense. */
export const RESPONSE_AT = { senseLength: 0, residual: 4, status: 10, response: 11, sense: 12 } as const
export const RESPONSE_BYTES = 12 + SENSE_BYTES

/** Fixed format sense data (SPC-5, 4.4.3). */
export function fixedSense({ key, code, qualifier }: Sense): Uint8Array {
  const bytes = new Uint8Array(18)
  bytes[0] = 0x70
  bytes[2] = key
  bytes[7] = bytes.length - 8
  bytes[12] = code
  bytes[13] = qualifier
  return bytes
}
