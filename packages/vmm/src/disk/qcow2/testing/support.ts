/** What the tests of the disk engine share. Not part of the monitor. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { NativeBuffer } from '../../../sys/native-buffer.ts'
import { IovecList } from '../../../virtio/chain.ts'
import type { Qcow2Image } from '../image.ts'

/** xorshift32: the same numbers on every run. */
export class Random {
  private state: number
  constructor(seed: number) {
    this.state = (seed * 2654435761) >>> 0 || 1
    for (let i = 0; i < 8; i++) this.next()
  }
  next(): number {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x >>> 0
    return this.state
  }
  /** 0 ≤ n < limit */
  below(limit: number): number {
    return this.next() % limit
  }
  chance(percent: number): boolean {
    return this.below(100) < percent
  }
}

/** Memory that stands for the guest's, and iovecs into it cut at random places. */
export class GuestBuffer {
  readonly memory: NativeBuffer
  private readonly random: Random
  private readonly iov = new IovecList(8)

  constructor(bytes: number, random: Random) {
    this.memory = new NativeBuffer(bytes)
    this.random = random
  }

  write(image: Qcow2Image, offset: number, source: Uint8Array): void {
    this.memory.bytes.set(source)
    image.writev(offset, this.iov, this.cut(source.length), source.length)
  }

  read(image: Qcow2Image, offset: number, length: number): Uint8Array {
    // What is not written must not look as if it had been.
    this.memory.bytes.fill(0xa5, 0, length)
    image.readv(offset, this.iov, this.cut(length), length)
    return this.memory.bytes.slice(0, length)
  }

  private cut(length: number): number {
    let entries = 0
    for (let done = 0; done < length; ) {
      const left = length - done
      const count =
        left <= 512 || this.random.chance(40) ? left : Math.min(left, (1 + this.random.below(32)) * 512)
      this.iov.set(entries++, this.memory.address + done, count)
      done += count
    }
    return entries
  }

  close(): void {
    this.memory.free()
  }
}

export function temporaryFolder(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-qcow2-'))
}

/** Runs qemu-img, throws with its output when it fails in a way that is not in `allowed`; returns its exit status. */
export function qemuImg(args: readonly string[], allowed: readonly number[] = [0]): number {
  const { status, stdout, stderr, error } = spawnSync('qemu-img', args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (error) throw error
  if (status === null || !allowed.includes(status)) {
    throw new Error(`qemu-img ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  }
  return status
}

/** `qemu-img check`: 0 is clean, 3 is leaks only. */
export function qemuCheck(file: string, allowLeaks = false): void {
  qemuImg(['check', '-q', '-f', 'qcow2', file], allowLeaks ? [0, 3] : [0])
}
