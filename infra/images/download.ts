/**
 * Fetches a file into `<part>`, going on where a broken connection (or a stopped Hearth) left it: HTTP Range with
 * If-Range (RFC 9110, 13.1.5 and 14), so that a file that changed meanwhile is begun anew and never mixed.
 */
import { type FileHandle, open, readFile, statfs, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { imageLimits, type Transfer } from '@hearth/shared/image'
import { SpeedMeter } from '@hearth/shared/speed'
import { formatBytes, MIB } from '@hearth/shared/units'
import { z } from 'zod'
import { BuildError } from '../recipes/build-error.ts'
import { forgetDownload } from './download-parts.ts'
import { type FetchRules, get, unreachable } from './http-source.ts'

export interface DownloadOptions {
  readonly url: string
  /** The file being filled; `<part>.json` beside it remembers what it is part of. */
  readonly part: string
  readonly rules: FetchRules
  readonly signal: AbortSignal
  readonly onProgress: (transfer: Transfer) => void
  /** Tells of a broken connection: for the log. */
  readonly onTrouble?: (message: string) => void
  readonly maxBytes?: number
  /** Before the first new attempt; doubles up to sixteen times that. */
  readonly retryDelayMs?: number
  /** Attempts in a row that bring not one byte before it is given up. */
  readonly attempts?: number
}

/** Left on the disk for everything else. */
const reserveBytes = 512 * MIB

const memorySchema = z.object({
  url: z.string(),
  /** A strong ETag or a date of last modification; null when the server gives neither. */
  validator: z.string().nullable(),
  totalBytes: z.int().nullable(),
})
type Memory = z.infer<typeof memorySchema>

/** Resolves with the file's length when all of it is in `part`. */
export async function download(options: DownloadOptions): Promise<number> {
  const { part, signal, retryDelayMs = 1000, attempts = 8 } = options
  const handle = await open(part, 'a+', 0o644)
  // `a+` makes the file; writing goes by position, which append mode would ignore.
  await handle.close()
  const file = await open(part, 'r+')
  try {
    const speed = new SpeedMeter()
    let failures = 0
    for (;;) {
      signal.throwIfAborted()
      const before = (await file.stat()).size
      try {
        return await attempt(options, file, speed)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof BuildError) throw error
        if (isNoSpace(error)) throw diskFull(options)
        failures = (await file.stat()).size > before ? 1 : failures + 1
        const message = error instanceof Error ? error.message : String(error)
        options.onTrouble?.(message)
        if (failures >= attempts) throw unreachable(options.url, message)
        await delay(retryDelayMs * Math.min(16, 2 ** (failures - 1)), undefined, { signal })
      }
    }
  } finally {
    const { size } = await file.stat()
    await file.close()
    // Nothing came: there is nothing to go on with.
    if (size === 0) await forgetDownload(part)
  }
}

async function attempt(options: DownloadOptions, file: FileHandle, speed: SpeedMeter): Promise<number> {
  const { url, part, rules, signal } = options
  const memory = await recall(part, url)
  let offset = (await file.stat()).size
  if (offset > 0 && (!memory?.validator || memory.totalBytes === null || offset > memory.totalBytes)) {
    await file.truncate(0)
    offset = 0
  }
  if (memory?.totalBytes && offset === memory.totalBytes) return offset
  const headers: Record<string, string> =
    offset > 0 ? { range: `bytes=${offset}-`, 'if-range': memory!.validator! } : {}
  const { response } = await get(url, rules, { headers, signal })
  try {
    if (response.statusCode === 416) {
      await file.truncate(0)
      throw new Error('the file became shorter meanwhile; beginning anew')
    }
    const { totalBytes, from } = readHead(response, url, offset)
    if (from !== offset) {
      await file.truncate(0)
      offset = 0
    }
    const limit = options.maxBytes ?? imageLimits.fileBytes
    if (totalBytes !== null && totalBytes > limit)
      throw new BuildError(`The file is ${formatBytes(totalBytes)}; at most ${formatBytes(limit)} are taken.`)
    if (totalBytes !== null) await requireSpace(part, totalBytes - offset)
    await remember(part, { url, validator: validatorOf(response), totalBytes })
    const length = await receive(response, file, offset, { ...options, speed, totalBytes, limit })
    if (totalBytes !== null && length < totalBytes) throw new Error('the connection broke')
    await file.sync()
    await remember(part, { url, validator: validatorOf(response), totalBytes: length })
    return length
  } finally {
    response.destroy()
  }
}

/** Status, total length and where the body begins; throws what the status means. */
function readHead(
  response: IncomingMessage,
  url: string,
  offset: number,
): { totalBytes: number | null; from: number } {
  const { statusCode = 0, headers } = response
  const host = new URL(url).host
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity')
    throw new BuildError(`${host} sends the file packed though it was asked not to.`)
  if (statusCode === 200) {
    const length = headers['content-length']
    return { totalBytes: length === undefined ? null : Number(length), from: 0 }
  }
  if (statusCode === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers['content-range'] ?? '')
    if (!range || Number(range[1]) !== offset)
      throw new BuildError(`${host} answers with another part of the file than was asked for.`)
    return { totalBytes: Number(range[2]), from: offset }
  }
  if (statusCode === 404 || statusCode === 410)
    throw new BuildError(`There is nothing at ${url} (${statusCode}). Look at the address.`)
  if (statusCode === 401 || statusCode === 403)
    throw new BuildError(`${host} does not give the file to everybody (${statusCode}).`)
  // 408, 429 and 5xx may be another answer in a moment.
  if (statusCode < 500 && ![408, 429].includes(statusCode))
    throw new BuildError(`${host} answered ${statusCode} instead of the file.`)
  throw new Error(`${host} answered ${statusCode}`)
}

async function receive(
  response: IncomingMessage,
  file: FileHandle,
  offset: number,
  options: DownloadOptions & { speed: SpeedMeter; totalBytes: number | null; limit: number },
): Promise<number> {
  const { speed, totalBytes, limit, onProgress } = options
  let position = offset
  // One chunk at a time: what the disk does not take, the connection does not bring.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (position + chunk.length > (totalBytes ?? limit))
      throw new BuildError(
        totalBytes === null
          ? `The file is larger than ${formatBytes(limit)}, the most that is taken.`
          : 'The server sends more than it announced.',
      )
    await file.write(chunk, 0, chunk.length, position)
    position += chunk.length
    speed.add(chunk.length)
    onProgress({ bytes: position, totalBytes, bytesPerSecond: speed.bytesPerSecond })
  }
  return position
}

/** If-Range takes strong validators only (RFC 9110, 13.1.5). */
function validatorOf({ headers }: IncomingMessage): string | null {
  if (headers.etag && !headers.etag.startsWith('W/')) return headers.etag
  return headers['last-modified'] ?? null
}

async function recall(part: string, url: string): Promise<Memory | null> {
  const text = await readFile(`${part}.json`, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const memory = memorySchema.parse(JSON.parse(text))
    return memory.url === url ? memory : null
  } catch {
    return null
  }
}

async function remember(part: string, memory: Memory): Promise<void> {
  await writeFile(`${part}.json`, JSON.stringify(memory))
}

async function requireSpace(part: string, bytes: number): Promise<void> {
  const disk = await statfs(path.dirname(part))
  const free = disk.bavail * disk.bsize
  if (free >= bytes + reserveBytes) return
  throw new BuildError(
    `This needs ${formatBytes(bytes + reserveBytes)} of disk and ${formatBytes(free)} are free. Delete images or VMs you no longer need.`,
  )
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC'
}

function diskFull({ part }: DownloadOptions): BuildError {
  return new BuildError(`The disk with ${path.dirname(part)} is full. Free some space and try again.`)
}
