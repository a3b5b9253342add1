/**
 * Uploads of this tab. They belong to no page, so that going elsewhere in the portal stops none. The host says how far
 * one is (tus 1.0.0: HEAD, then PATCH at that offset), so a broken connection costs at most one part.
 */
import { SpeedMeter } from '@hearth/shared/speed'
import { said } from '../../messages/said.ts'

export interface UploadState {
  readonly sent: number
  readonly bytes: number
  readonly bytesPerSecond: number
  /** `waiting`: the connection is gone, it is tried again; `refused`: it ended, `message` says why. */
  readonly phase: 'sending' | 'waiting' | 'finishing' | 'refused'
  readonly message: string | null
}

const partBytes = 8 * 1024 * 1024
/** Zeros cost a header and no bytes; still, progress should show. */
const mostZeroBytes = 512 * 1024 * 1024
const longestPauseMs = 15_000

const uploads = new Map<number, UploadState>()
const stops = new Map<number, AbortController>()
const listeners = new Set<() => void>()

export function subscribeUploads(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const uploadState = (imageId: number): UploadState | undefined => uploads.get(imageId)

function set(imageId: number, state: UploadState | null): void {
  if (state) uploads.set(imageId, state)
  else uploads.delete(imageId)
  for (const listener of listeners) listener()
}

/** Ends an upload here; what has arrived stays until somebody gives it up. */
export function stopUpload(imageId: number): void {
  stops.get(imageId)?.abort()
  set(imageId, null)
}

/** Begins an upload or goes on with it. `finish` is called when all bytes are on the host. */
export async function startUpload(
  imageId: number,
  file: Blob,
  finish: () => Promise<unknown>,
): Promise<void> {
  stops.get(imageId)?.abort()
  const stop = new AbortController()
  stops.set(imageId, stop)
  const { signal } = stop
  const warn = (event: BeforeUnloadEvent) => event.preventDefault()
  window.addEventListener('beforeunload', warn)
  const speed = new SpeedMeter()
  let sent = 0
  const tell = (phase: UploadState['phase'], message: string | null = null) => {
    if (signal.aborted) return
    set(imageId, { sent, bytes: file.size, bytesPerSecond: speed.bytesPerSecond, phase, message })
  }
  tell('sending')
  try {
    for (let failures = 0; ; ) {
      try {
        sent = await offsetOf(imageId, signal)
        while (sent < file.size) {
          tell('sending')
          const before = sent
          sent = await sendPart(imageId, file, sent, signal)
          speed.add(sent - before)
          failures = 0
        }
        break
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Refusal) {
          tell('refused', error.message)
          return
        }
        tell('waiting')
        await pause(Math.min(longestPauseMs, 1000 * 2 ** failures++), signal)
      }
    }
    tell('finishing')
    await finish()
    set(imageId, null)
  } catch (error) {
    tell('refused', error instanceof Error ? error.message : String(error))
  } finally {
    window.removeEventListener('beforeunload', warn)
    if (stops.get(imageId) === stop) stops.delete(imageId)
  }
}

/** What another attempt would not change. */
class Refusal extends Error {}

async function offsetOf(imageId: number, signal: AbortSignal): Promise<number> {
  const response = await fetch(`/uploads/${imageId}`, { method: 'HEAD', signal })
  if (!response.ok) throw await failureOf(response)
  return Number(response.headers.get('upload-offset'))
}

/** Sends what follows `offset` and returns where the host then is. */
async function sendPart(imageId: number, file: Blob, offset: number, signal: AbortSignal): Promise<number> {
  // Empty space of a disk image is told, not sent: the host leaves a hole there.
  let zeros = 0
  let part = await partAt(file, offset)
  while (isZero(part) && part.byteLength > 0) {
    zeros += part.byteLength
    if (zeros >= mostZeroBytes || offset + zeros >= file.size) break
    part = await partAt(file, offset + zeros)
  }
  const response = await fetch(`/uploads/${imageId}`, {
    method: 'PATCH',
    headers: {
      'content-type': 'application/offset+octet-stream',
      'tus-resumable': '1.0.0',
      'upload-offset': String(offset),
      ...(zeros > 0 ? { 'upload-zeros': String(zeros) } : {}),
    },
    body: zeros > 0 ? null : part,
    signal,
  })
  if (!response.ok) throw await failureOf(response)
  return Number(response.headers.get('upload-offset'))
}

function partAt(file: Blob, offset: number): Promise<ArrayBuffer> {
  return file.slice(offset, offset + partBytes).arrayBuffer()
}

export function isZero(part: ArrayBuffer): boolean {
  const words = new Uint32Array(part, 0, part.byteLength >> 2)
  for (const word of words) if (word !== 0) return false
  return new Uint8Array(part, words.byteLength).every((byte) => byte === 0)
}

/** 409 and 423: somewhere else it went on; 5xx: somebody is away. Both mean: ask again where it stands. */
async function failureOf(response: Response): Promise<Error> {
  const { status } = response
  if (status === 409 || status === 423 || (status >= 500 && status !== 507)) return new Error(`${status}`)
  const body = (await response.json().catch(() => null)) as { error?: unknown } | null
  const error = body?.error
  const message =
    typeof error === 'string' ? error : (error as { message?: string } | null | undefined)?.message
  return new Refusal(said(message ?? `${status}`))
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      window.removeEventListener('online', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    window.addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}
