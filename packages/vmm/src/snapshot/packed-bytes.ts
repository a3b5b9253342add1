/** Bytes of a device in a snapshot's document: deflated, in base64, in parts of bounded length. */
import { deflateSync, inflateSync } from 'node:zlib'

/** Whole groups of base64. */
const PART_BYTES = 192 * 1024

export function packBytes(bytes: Uint8Array): string[] {
  // The fastest level: the machine stands still meanwhile, and most of a screen is of few colours.
  const deflated = deflateSync(bytes, { level: 1 })
  const parts: string[] = []
  for (let at = 0; at < deflated.length; at += PART_BYTES) {
    parts.push(deflated.toString('base64', at, at + PART_BYTES))
  }
  return parts
}

/** Throws when the parts are not exactly as many bytes as `target` has. */
export function unpackBytes(parts: readonly string[], target: Uint8Array): void {
  const deflated = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')))
  const inflated = inflateSync(deflated, { maxOutputLength: target.length })
  if (inflated.length !== target.length) throw new Error('a picture is not whole')
  target.set(inflated)
}
