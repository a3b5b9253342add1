/**
 * Requests of the control protocol (packages/shared/src/vmm-control.ts), parsed by hand: the few methods do not
 * justify loading a schema library into every VM's process. Types come from there, values from nowhere else.
 */
import type { VmmDiskChangesParams, VmmEvent, VmmMethod, VmmSnapshotParams } from '@hearth/shared/vmm-control'

const METHODS: Readonly<Record<VmmMethod, true>> = {
  status: true,
  powerdown: true,
  reset: true,
  quit: true,
  pause: true,
  resume: true,
  viewers: true,
  'viewer-control': true,
  'viewer-close': true,
  screenshot: true,
  snapshot: true,
  counters: true,
  balloon: true,
  'disk-changes': true,
}

interface ControlRequest {
  readonly id: number
  readonly method: VmmMethod
  /** As they came; whoever carries the method out looks at what it needs. */
  readonly params: Readonly<Record<string, unknown>>
}

export type ParsedRequest =
  | { readonly ok: true; readonly request: ControlRequest }
  /** `id` is 0 when the line has none. */
  | { readonly ok: false; readonly id: number; readonly error: string }

export function parseRequest(line: string): ParsedRequest {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return { ok: false, id: 0, error: 'this is not a line of JSON' }
  }
  if (typeof value !== 'object' || value === null)
    return { ok: false, id: 0, error: 'a request is an object' }
  const { id, method } = value as { id?: unknown; method?: unknown }
  if (!Number.isSafeInteger(id)) return { ok: false, id: 0, error: 'a request has an integer id' }
  if (typeof method !== 'string' || !Object.hasOwn(METHODS, method)) {
    return {
      ok: false,
      id: id as number,
      error: `there is no such method: use ${Object.keys(METHODS).join(', ')}`,
    }
  }
  const { params = {} } = value as { params?: unknown }
  if (typeof params !== 'object' || params === null || Array.isArray(params))
    return { ok: false, id: id as number, error: 'params is an object' }
  return {
    ok: true,
    request: { id: id as number, method: method as VmmMethod, params: params as Record<string, unknown> },
  }
}

/** Params of `snapshot`, vmmSnapshotParamsSchema of packages/shared. Throws with a line for people. */
export function parseSnapshotParams(params: Readonly<Record<string, unknown>>): VmmSnapshotParams {
  const { folder, after = 'keep', track = false, incremental = false } = params
  if (
    folder !== undefined &&
    (typeof folder !== 'string' || !folder.startsWith('/') || folder.length > 4096 || folder.includes('\0'))
  ) {
    throw new Error('snapshot\'s "folder" is an absolute path')
  }
  if (after !== 'keep' && after !== 'pause' && after !== 'quit') {
    throw new Error('snapshot\'s "after" is keep, pause or quit')
  }
  if (typeof track !== 'boolean' || typeof incremental !== 'boolean') {
    throw new Error('snapshot\'s "track" and "incremental" are true or false')
  }
  return { ...(folder === undefined ? {} : { folder }), after, track, incremental }
}

/** Params of `balloon`. Throws with a line for people. */
export function parseBalloonParams(params: Readonly<Record<string, unknown>>, memoryBytes: number): number {
  const { bytes } = params
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0 || (bytes as number) >= memoryBytes) {
    throw new Error('balloon\'s "bytes" is a number from 0 to less than the VM\'s memory')
  }
  return bytes as number
}

/** Params of `disk-changes`, vmmDiskChangesParamsSchema of packages/shared. Throws with a line for people. */
export function parseDiskChangesParams(params: Readonly<Record<string, unknown>>): VmmDiskChangesParams {
  const { path, note = 'go-on' } = params
  if (typeof path !== 'string') throw new Error('disk-changes\'s "path" is that of a disk')
  if (note !== 'begin' && note !== 'go-on' && note !== 'end')
    throw new Error('disk-changes\'s "note" is begin, go-on or end')
  return { path, note }
}

export type ControlLine =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string }
  | VmmEvent

export const encodeLine = (line: ControlLine): string => `${JSON.stringify(line)}\n`
