/** A CD-ROM drive as SCSI commands see it (MMC-6): what it answers, and which bytes of the disc it wants read. */
import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import { fixedSense, OPERATION, SENSE, type Sense } from './protocol.ts'

type DriveState = VirtioDeviceState<'scsi'>['drives'][number]

export const BLOCK_BYTES = 2048
const LEAD_OUT_TRACK = 0xaa
const PROFILE_DVD_ROM = 0x10
const PROFILE_CD_ROM = 0x08
/** Bytes of a CD of 80 minutes: what is larger is a DVD. */
const CD_BYTES = 737_280_000
const MODE_PAGE_CAPABILITIES = 0x2a
const ALL_MODE_PAGES = 0x3f
const EVENT_CLASS_MEDIA = 4
const MEDIA_EVENT = { none: 0, ejectRequest: 1, newMedia: 2, removed: 3 } as const

export type ScsiResult =
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** Bytes of the disc. */
  | { readonly kind: 'read'; readonly offset: number; readonly length: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly sense: Sense }

const DONE: ScsiResult = { kind: 'done' }
const failed = (sense: Sense): ScsiResult => ({ kind: 'error', sense })

export class Cdrom {
  private readonly discBytes: number
  private present = true
  private locked = false
  /** Reported by the next command that waits for the medium, once. */
  private attention: Sense | undefined = SENSE.MEDIUM_CHANGED
  private event: number = MEDIA_EVENT.newMedia

  /** A disc of `bytes` lies in it; a last piece of a block is left out. */
  constructor(bytes: number) {
    this.discBytes = bytes - (bytes % BLOCK_BYTES)
  }

  save(): DriveState {
    const { present, locked, attention, event } = this
    const sense: [number, number, number] | null = attention
      ? [attention.key, attention.code, attention.qualifier]
      : null
    return { present, locked, attention: sense, event }
  }

  restore({ present, locked, attention, event }: DriveState): void {
    this.present = present
    this.locked = locked
    this.event = event
    this.attention = attention
      ? { key: attention[0], code: attention[1], qualifier: attention[2] }
      : undefined
  }

  get hasDisc(): boolean {
    return this.present
  }

  /** A person takes the disc out: the guest is asked when it has locked the tray, else it is out. */
  eject(): void {
    if (!this.present) return
    if (this.locked) this.event = MEDIA_EVENT.ejectRequest
    else this.open()
  }

  /** `cdb` is the whole command descriptor block. Answers are not cut to the allocation length yet. */
  execute(cdb: Uint8Array): ScsiResult {
    const view = new DataView(cdb.buffer, cdb.byteOffset, cdb.byteLength)
    switch (cdb[0]) {
      case OPERATION.INQUIRY:
        return this.inquiry(cdb)
      case OPERATION.REQUEST_SENSE:
        return this.requestSense()
      case OPERATION.GET_CONFIGURATION:
        return data(this.configuration())
      case OPERATION.GET_EVENT_STATUS_NOTIFICATION:
        return this.eventStatus(cdb)
      case OPERATION.START_STOP_UNIT:
        return this.startStop(cdb[4]!)
      case OPERATION.PREVENT_ALLOW_MEDIUM_REMOVAL:
        this.locked = (cdb[4]! & 1) !== 0
        return DONE
      case OPERATION.MODE_SENSE_6:
        return this.modeSense(cdb[2]!, 4)
      case OPERATION.MODE_SENSE_10:
        return this.modeSense(cdb[2]!, 8)
      case OPERATION.TEST_UNIT_READY:
        return this.withDisc(() => DONE)
      case OPERATION.READ_CAPACITY_10:
        return this.withDisc(() => data(this.capacity()))
      case OPERATION.READ_10:
        return this.withDisc(() => this.read(view.getUint32(2), view.getUint16(7)))
      case OPERATION.READ_12:
        return this.withDisc(() => this.read(view.getUint32(2), view.getUint32(6)))
      case OPERATION.READ_TOC:
        return this.withDisc(() => this.tableOfContents(cdb))
      case OPERATION.READ_DISC_INFORMATION:
        return this.withDisc(() => data(discInformation()))
      default:
        return failed(SENSE.INVALID_OPERATION)
    }
  }

  private get blocks(): number {
    return this.discBytes / BLOCK_BYTES
  }

  private withDisc(work: () => ScsiResult): ScsiResult {
    const { attention } = this
    if (attention !== undefined) {
      this.attention = undefined
      return failed(attention)
    }
    return this.present ? work() : failed(SENSE.MEDIUM_NOT_PRESENT)
  }

  private open(): void {
    this.present = false
    this.attention = undefined
    this.event = MEDIA_EVENT.removed
  }

  /** SPC-5, 6.6: removable CD/DVD device; of the vital product data only the list of its pages. */
  private inquiry(cdb: Uint8Array): ScsiResult {
    const CD_DEVICE = 5
    if (cdb[1]! & 1) {
      if (cdb[2] === 0) return data(Uint8Array.of(CD_DEVICE, 0, 0, 1, 0))
      return failed(SENSE.INVALID_FIELD)
    }
    if (cdb[2] !== 0) return failed(SENSE.INVALID_FIELD)
    const bytes = new Uint8Array(36)
    bytes.set([CD_DEVICE, 0x80, 5, 2, bytes.length - 5])
    bytes.set(new TextEncoder().encode('HEARTH  CD-ROM          1.0 '), 8)
    return data(bytes)
  }

  private requestSense(): ScsiResult {
    const { attention } = this
    this.attention = undefined
    return data(fixedSense(attention ?? (this.present ? SENSE.NONE : SENSE.MEDIUM_NOT_PRESENT)))
  }

  private startStop(flags: number): ScsiResult {
    const START = 1
    const LOAD_EJECT = 2
    if ((flags & LOAD_EJECT) === 0) return DONE
    if (flags & START) return this.present ? DONE : failed(SENSE.MEDIUM_NOT_PRESENT)
    if (this.locked) return failed(SENSE.REMOVAL_PREVENTED)
    if (this.present) this.open()
    return DONE
  }

  private capacity(): Uint8Array {
    const view = new DataView(new ArrayBuffer(8))
    view.setUint32(0, Math.max(0, this.blocks - 1))
    view.setUint32(4, BLOCK_BYTES)
    return new Uint8Array(view.buffer)
  }

  private read(block: number, count: number): ScsiResult {
    if (block + count > this.blocks) return failed(SENSE.LBA_OUT_OF_RANGE)
    if (count === 0) return DONE
    return { kind: 'read', offset: block * BLOCK_BYTES, length: count * BLOCK_BYTES }
  }

  /** MMC-6, 6.25: one data track and the lead-out; sessions: one. */
  private tableOfContents(cdb: Uint8Array): ScsiResult {
    const asMinutes = (cdb[1]! & 2) !== 0
    const format = cdb[2]! & 0xf || cdb[9]! >>> 6
    const first = cdb[6]!
    const TRACK = { data: 0x14, number: 1 } as const
    const address = (block: number): number[] => {
      if (!asMinutes) return [block >>> 24, (block >>> 16) & 0xff, (block >>> 8) & 0xff, block & 0xff]
      const frames = block + 150
      return [0, Math.floor(frames / 4500) & 0xff, Math.floor(frames / 75) % 60, frames % 75]
    }
    if (format === 1) return data(Uint8Array.from([0, 10, 1, 1, 0, TRACK.data, 1, 0, ...address(0)]))
    if (format !== 0 || (first > 1 && first !== LEAD_OUT_TRACK)) return failed(SENSE.INVALID_FIELD)
    const body = [
      ...(first <= 1 ? [0, TRACK.data, TRACK.number, 0, ...address(0)] : []),
      ...[0, TRACK.data, LEAD_OUT_TRACK, 0, ...address(this.blocks)],
    ]
    return data(Uint8Array.from([0, body.length + 2, 1, 1, ...body]))
  }

  /** MMC-6, 6.6: the profiles it has, the disc's own as the current one. */
  private configuration(): Uint8Array {
    const current = !this.present ? 0 : this.discBytes > CD_BYTES ? PROFILE_DVD_ROM : PROFILE_CD_ROM
    const profile = (number: number): number[] => [0, number, number === current ? 1 : 0, 0]
    const features = [0, 0, 3, 8, ...profile(PROFILE_DVD_ROM), ...profile(PROFILE_CD_ROM)]
    return Uint8Array.from([0, 0, 0, features.length + 4, 0, 0, 0, current, ...features])
  }

  /** MMC-6, 6.7, polled: this is how a guest learns that the disc was taken out. */
  private eventStatus(cdb: Uint8Array): ScsiResult {
    const POLLED = 1
    if ((cdb[1]! & POLLED) === 0) return failed(SENSE.INVALID_FIELD)
    const supported = 1 << EVENT_CLASS_MEDIA
    if ((cdb[4]! & supported) === 0) return data(Uint8Array.of(0, 2, 0x80, supported))
    const { event } = this
    this.event = MEDIA_EVENT.none
    const DISC = 2
    const TRAY_OPEN = 1
    return data(
      Uint8Array.of(0, 6, EVENT_CLASS_MEDIA, supported, event, this.present ? DISC : TRAY_OPEN, 0, 0),
    )
  }

  private modeSense(pageCode: number, headerBytes: 4 | 8): ScsiResult {
    const page = pageCode & 0x3f
    if (page !== MODE_PAGE_CAPABILITIES && page !== ALL_MODE_PAGES) return failed(SENSE.INVALID_FIELD)
    // Reads discs, can be locked, ejects, has a tray.
    const capabilities = [
      MODE_PAGE_CAPABILITIES,
      18,
      0x3b,
      0,
      0,
      0,
      0x29,
      0,
      ...new Array<number>(12).fill(0),
    ]
    const bytes = new Uint8Array(headerBytes + capabilities.length)
    if (headerBytes === 4) bytes[0] = bytes.length - 1
    else bytes[1] = bytes.length - 2
    bytes.set(capabilities, headerBytes)
    return data(bytes)
  }
}

const data = (bytes: Uint8Array): ScsiResult => ({ kind: 'data', bytes })

/** MMC-6, 6.22: complete and closed, one session, one track. */
function discInformation(): Uint8Array {
  const bytes = new Uint8Array(34)
  bytes.set([0, 32, 0x0e, 1, 1, 1, 1, 0x20])
  return bytes
}

/** How much the command's sender takes of an answer. */
export function allocationLength(cdb: Uint8Array): number {
  const view = new DataView(cdb.buffer, cdb.byteOffset, cdb.byteLength)
  switch (cdb[0]) {
    case OPERATION.INQUIRY:
      return view.getUint16(3)
    case OPERATION.REQUEST_SENSE:
    case OPERATION.MODE_SENSE_6:
      return cdb[4]!
    case OPERATION.READ_TOC:
    case OPERATION.GET_CONFIGURATION:
    case OPERATION.GET_EVENT_STATUS_NOTIFICATION:
    case OPERATION.READ_DISC_INFORMATION:
    case OPERATION.MODE_SENSE_10:
      return view.getUint16(7)
    case OPERATION.REPORT_LUNS:
      return view.getUint32(6)
    default:
      return Number.POSITIVE_INFINITY
  }
}
