/** Files that are being uploaded, `<images>/.uploads/<uid>.part`: as long as what has arrived, gaps as holes. */
import { mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { imageLimits } from '@hearth/shared/image'
import { formatBytes, MIB } from '@hearth/shared/units'
import { z } from 'zod'

/** Left on the disk for everything else. */
const reserveBytes = 512 * MIB
const forgetAfterMs = 7 * 24 * 3600 * 1000

/** A refusal with the HTTP status it is told by. */
export class UploadError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'UploadError'
    this.status = status
  }
}

export interface UploadChunk {
  readonly offset: number
  /** Of the whole file. */
  readonly totalBytes: number
  readonly body: Readable
  /** Instead of a body: so many bytes are zero. They become a hole. */
  readonly zeroBytes: number | null
}

export class UploadStore {
  readonly #folder: string
  readonly #busy = new Set<string>()

  constructor(images: string) {
    this.#folder = path.join(images, '.uploads')
  }

  file(uid: string): string {
    return path.join(this.#folder, `${z.uuid().parse(uid)}.part`)
  }

  /** How much of it is here. */
  async offset(uid: string): Promise<number> {
    const info = await stat(this.file(uid)).catch(() => null)
    return info?.size ?? 0
  }

  /** Appends what arrives, as it arrives; returns the new offset. A broken connection keeps what came before it. */
  async append(uid: string, chunk: UploadChunk): Promise<number> {
    if (this.#busy.has(uid))
      throw new UploadError(423, 'A part of this upload is being written. Ask again where it stands.')
    this.#busy.add(uid)
    try {
      return await this.#append(uid, chunk)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
        throw new UploadError(
          507,
          'The disk of the host is full. Free some space, then go on with the upload.',
        )
      throw error
    } finally {
      this.#busy.delete(uid)
    }
  }

  async remove(uid: string): Promise<void> {
    await rm(this.file(uid), { force: true })
  }

  /** Removes what nobody has gone on with for a week. */
  async tidy(now = Date.now()): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [] as string[])) {
      const file = path.join(this.#folder, name)
      const info = await stat(file).catch(() => null)
      if (info && now - info.mtimeMs > forgetAfterMs) await rm(file, { force: true })
    }
  }

  async #append(uid: string, { offset, totalBytes, body, zeroBytes }: UploadChunk): Promise<number> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    if (totalBytes > imageLimits.fileBytes)
      throw new UploadError(413, `At most ${formatBytes(imageLimits.fileBytes)} are taken.`)
    const here = await this.offset(uid)
    if (here !== offset) throw new UploadError(409, `The next byte of this upload is ${here}, not ${offset}.`)
    if (offset + (zeroBytes ?? 0) > totalBytes)
      throw new UploadError(400, 'This is more than the upload was announced with.')
    await this.#requireSpace()
    await (await open(this.file(uid), 'a', 0o644)).close()
    const file = await open(this.file(uid), 'r+')
    let position = offset
    try {
      if (zeroBytes !== null) {
        position += zeroBytes
        await file.truncate(position)
        return position
      }
      const limit = Math.min(totalBytes, offset + imageLimits.uploadChunkBytes)
      // Not destroyed when it is left early: that would close the connection, and the answer would be lost.
      for await (const bytes of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (position + bytes.length > limit)
          throw new UploadError(413, 'This part is longer than was announced or than one request may be.')
        await file.write(bytes, 0, bytes.length, position)
        position += bytes.length
      }
      return position
    } finally {
      await file.close()
    }
  }

  async #requireSpace(): Promise<void> {
    const disk = await statfs(this.#folder)
    if (disk.bavail * disk.bsize < imageLimits.uploadChunkBytes + reserveBytes)
      throw new UploadError(
        507,
        'The disk of the host is nearly full. Free some space, then go on with the upload.',
      )
  }
}
