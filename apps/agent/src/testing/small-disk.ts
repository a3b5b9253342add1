/** For tests of disks that fill up: a file system of its own in memory, as large or small as is wanted at any moment. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { GIB, MIB } from '@hearth/shared/units'

export class SmallDisk {
  readonly folder: string

  /** Mounted in the mount namespace of `inOwnNetwork`, with which it goes. Large at first. */
  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${large}`, 'tmpfs', folder])
  }

  async usedBytes(): Promise<number> {
    const { blocks, bfree, bsize } = await statfs(this.folder)
    return (blocks - bfree) * bsize
  }

  /** The shell's command that makes it `bytes` large; what is on it stays. */
  shrinking(bytes: number): string {
    return `mount -o remount,size=${Math.ceil(bytes)} '${this.folder}'`
  }

  shrink(bytes: number): void {
    execFileSync('sh', ['-c', this.shrinking(bytes)])
  }

  enlarge(): void {
    this.shrink(large)
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.folder])
  }
}

/** It takes memory for what is written to it only. */
const large = 4 * GIB

/** Used bytes may differ by this much between two looks: journals of actions. */
export const aboutBytes = MIB / 2
