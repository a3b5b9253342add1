/** What is known of a file (statx(2)), and how the guest is told (struct fuse_attr). */
import { statxOf } from './system.ts'

const STATX_BYTES = 256
/** <linux/stat.h>, struct statx. */
const AT = {
  blockSize: 4,
  links: 16,
  mode: 28,
  inode: 32,
  size: 40,
  blocks: 48,
  accessed: 64,
  changed: 96,
  modified: 112,
  deviceMajor: 136,
  deviceMinor: 140,
} as const

export const S_IFMT = 0o170000
export const S_IFDIR = 0o040000
export const S_IFREG = 0o100000
export const S_IFLNK = 0o120000
/** Neither set-uid and set-gid nor the sticky bit: no program of the guest's gets rights by them. */
export const MODE_BITS = 0o777

/** The last file that was asked about; used again and again. */
export class Stat {
  private readonly bytes = new Uint8Array(STATX_BYTES)
  private readonly view = new DataView(this.bytes.buffer)

  /** Asks about what `fd` is. Returns 0, or an errno negated. */
  read(fd: number): number {
    return statxOf(fd, this.bytes)
  }

  get mode(): number {
    return this.view.getUint16(AT.mode, true)
  }

  get kind(): number {
    return this.mode & S_IFMT
  }

  get inodeLow(): number {
    return this.view.getUint32(AT.inode, true)
  }

  get inodeHigh(): number {
    return this.view.getUint32(AT.inode + 4, true)
  }

  get device(): number {
    return this.view.getUint32(AT.deviceMajor, true) * 2 ** 32 + this.view.getUint32(AT.deviceMinor, true)
  }

  /** Fills struct fuse_attr at `at`: everything belongs to `owner`, and is no device. */
  write(to: DataView, at: number, owner: number): void {
    const { view } = this
    const copy = (from: number, offset: number): void =>
      to.setBigUint64(at + offset, view.getBigUint64(from, true), true)
    copy(AT.inode, 0)
    copy(AT.size, 8)
    copy(AT.blocks, 16)
    for (const [i, time] of [AT.accessed, AT.modified, AT.changed].entries()) {
      copy(time, 24 + 8 * i)
      to.setUint32(at + 48 + 4 * i, view.getUint32(time + 8, true), true)
    }
    const words = [this.kind | (this.mode & MODE_BITS), view.getUint32(AT.links, true), owner, owner, 0]
    for (const [i, word] of words.entries()) to.setUint32(at + 60 + 4 * i, word, true)
    to.setUint32(at + 80, view.getUint32(AT.blockSize, true), true)
    to.setUint32(at + 84, 0, true)
  }
}
