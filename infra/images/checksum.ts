/** Checksums: reading distributions' lists of them, and computing a file's. */
import { createHash, type Hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Checksum } from '@hearth/shared/image'

export type Algorithm = Checksum['algorithm']
const hexLength: Record<Algorithm, number> = { sha256: 64, sha512: 128 }

/**
 * The checksum of `fileName` in a list, or undefined. Lists come as `HASH  NAME`, `HASH *NAME` (coreutils), as
 * `SHA256 (NAME) = HASH` (BSD, Fedora, Rocky; also inside a PGP clear-signed text), or as the hash alone.
 */
export function findChecksum(list: string, fileName: string, algorithm: Algorithm): string | undefined {
  const hash = `[0-9a-fA-F]{${hexLength[algorithm]}}`
  const lines = list.split(/\r?\n/).map((line) => line.trim())
  for (const line of lines) {
    const gnu = new RegExp(`^(${hash})\\s+\\*?(?:\\./)?(\\S+)$`).exec(line)
    if (gnu?.[2] === fileName) return gnu[1]!.toLowerCase()
    const bsd = new RegExp(`^${algorithm}\\s*\\((.+)\\)\\s*=\\s*(${hash})$`, 'i').exec(line)
    if (bsd?.[1] === fileName) return bsd[2]!.toLowerCase()
  }
  const words = lines.filter((line) => line !== '')
  const alone = words.length === 1 ? new RegExp(`^${hash}$`).exec(words[0]!) : null
  return alone?.[0].toLowerCase()
}

/** Reads the file once for all algorithms asked for; `onProgress` hears the share that is done. */
export async function fileChecksums(
  file: string,
  algorithms: readonly Algorithm[],
  options: { signal?: AbortSignal; onProgress?: (fraction: number) => void } = {},
): Promise<Record<Algorithm, string | undefined>> {
  const hashes = new Map<Algorithm, Hash>()
  for (const algorithm of algorithms) hashes.set(algorithm, createHash(algorithm))
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const buffer = Buffer.allocUnsafe(1024 * 1024)
    let position = 0
    for (;;) {
      options.signal?.throwIfAborted()
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) break
      position += bytesRead
      for (const hash of hashes.values()) hash.update(buffer.subarray(0, bytesRead))
      options.onProgress?.(size === 0 ? 1 : position / size)
    }
  } finally {
    await handle.close()
  }
  return { sha256: hashes.get('sha256')?.digest('hex'), sha512: hashes.get('sha512')?.digest('hex') }
}
