/**
 * The serial log on disk: bounded, with one rotated predecessor (`FILE.1`). Writes are asynchronous and the
 * memory they wait in is bounded too; a disk that stalls costs log, never the guest.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, write, writeSync } from 'node:fs'
import { hostRefused } from '../sys/exit-error.ts'
import { gapMarker } from './hub.ts'

const LOG_BYTES = 1024 * 1024
const MAX_PENDING = 4 * 1024 * 1024

export class SerialLog {
  private readonly limit: number
  private readonly fd: number
  /** The predecessor's. Both stay open: once the process is jailed no file can be opened or renamed any more. */
  private readonly olderFd: number
  private size: number
  private pending: Uint8Array[] = []
  private pendingBytes = 0
  private lost = 0
  private writing = false
  private idle: (() => void)[] = []

  /** Appends to an existing file. Exit code 2 when it cannot be written. */
  constructor(path: string, limit = LOG_BYTES) {
    this.limit = limit
    try {
      this.fd = openSync(path, 'a+', 0o600)
      this.olderFd = openSync(`${path}.1`, constants.O_RDWR | constants.O_CREAT, 0o600)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw hostRefused(
        `--serial-log ${path}: it cannot be written (${code}): choose a folder that exists and is yours`,
      )
    }
    this.size = fstatSync(this.fd).size
  }

  append(bytes: Uint8Array): void {
    if (this.pendingBytes + bytes.length > MAX_PENDING) {
      this.lost += bytes.length
      return
    }
    if (this.lost > 0) {
      const marker = gapMarker(this.lost)
      this.lost = 0
      this.pending.push(marker)
      this.pendingBytes += marker.length
    }
    this.pending.push(bytes)
    this.pendingBytes += bytes.length
    this.next()
  }

  private next(): void {
    if (this.writing) return
    if (this.pending.length === 0) {
      for (const done of this.idle.splice(0)) done()
      return
    }
    if (this.size >= this.limit) this.rotate()
    // One piece never passes the limit, or a burst would make a file of any size.
    const all = this.pending.length === 1 ? this.pending[0]! : Buffer.concat(this.pending)
    const room = Math.max(1, this.limit - this.size)
    const chunk = all.subarray(0, room)
    this.pending = all.length > room ? [all.subarray(room)] : []
    this.pendingBytes = all.length - chunk.length
    this.writing = true
    write(this.fd, chunk, 0, chunk.length, null, (error, written) => {
      this.writing = false
      // A full disk: the log has a hole, the guest goes on.
      if (error) this.lost += chunk.length
      else this.size += written
      if (!error && written < chunk.length) {
        this.pending.unshift(chunk.subarray(written))
        this.pendingBytes += chunk.length - written
      }
      this.next()
    })
  }

  /** What is in the file becomes the predecessor: one short copy within the page cache for every `limit` bytes. */
  private rotate(): void {
    try {
      const all = new Uint8Array(this.size)
      const count = readSync(this.fd, all, 0, all.length, 0)
      for (let done = 0; done < count; ) {
        done += writeSync(this.olderFd, all, done, count - done, done)
      }
      ftruncateSync(this.olderFd, count)
      ftruncateSync(this.fd, 0)
    } catch {
      // The disk is full: the predecessor has a hole, and this file keeps its bound.
      ftruncateSync(this.fd, 0)
    }
    this.size = 0
  }

  /** Resolves when everything appended so far has been written or given up. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.idle.push(resolve)
      this.next()
    })
  }

  close(): void {
    closeSync(this.fd)
    closeSync(this.olderFd)
  }
}
