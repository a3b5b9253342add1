/**
 * The chunks of one VM's backups: files named by what they hold, compressed. Hashing, compression and encryption
 * run in the thread pool; the agent's own thread only hands them on.
 */
import { createHash } from 'node:crypto'
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { throwIfAborted } from '../actions/actions.ts'
import { isErrno, temporaryPrefix } from '../store/atomic-file.ts'
import { type ChunkList, chunkBytes, chunksFolder, formatChunkList, isChunkName } from './backup-format.ts'
import type { Vault } from './vault.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Chunks under way at once: one is read while others are summed and compressed, and the thread pool keeps a free hand. */
const atOnce = 3
const damagedSuffix = '.damaged'
const zeros = Buffer.alloc(chunkBytes)

export class DamagedChunk extends Error {
  constructor(sum: string, why: string) {
    super(`chunk ${sum}: ${why}`)
    this.name = 'DamagedChunk'
  }
}

export interface ChunkProgress {
  signal: AbortSignal
  /** Bytes gone through since the last call. */
  onBytes: (bytes: number) => void
}

export class ChunkFolder {
  readonly #folder: string
  readonly #vault: Vault

  constructor(vmFolder: string, vault: Vault) {
    this.#folder = join(vmFolder, chunksFolder)
    this.#vault = vault
  }

  /** Made one level at a time: when the disk below is gone, nothing is written into what is left of its path. */
  async make(): Promise<void> {
    await makeFolder(this.#folder)
  }

  /** Names of all chunks that are there. */
  async present(): Promise<Set<string>> {
    const { suffix } = this.#vault
    const found = new Set<string>()
    for (const group of await namesIn(this.#folder))
      for (const name of await namesIn(join(this.#folder, group))) {
        const sum = name.slice(0, -suffix.length)
        if (name.endsWith(suffix) && isChunkName(sum)) found.add(sum)
      }
    return found
  }

  /** Stores a file but for what is known to be there already; `known` learns what it wrote. */
  async store(
    source: string,
    known: Set<string>,
    { signal, onBytes }: ChunkProgress,
  ): Promise<{ bytes: number; list: ChunkList; listSha256: string; storedBytes: number }> {
    const file = await open(source, 'r')
    try {
      const { size } = await file.stat()
      const list: ChunkList = new Array<string | null>(Math.ceil(size / chunkBytes)).fill(null)
      let storedBytes = 0
      await eachChunk(list.length, signal, async (index, buffer) => {
        const chunk = buffer.subarray(0, Math.min(chunkBytes, size - index * chunkBytes))
        await readFully(file, chunk, index * chunkBytes)
        onBytes(chunk.length)
        if (chunk.equals(zeros.subarray(0, chunk.length))) return
        const sum = await this.#vault.name(chunk)
        list[index] = sum
        if (known.has(sum)) return
        known.add(sum)
        const written = await this.#write(sum, chunk)
        storedBytes += written
      })
      const listSha256 = createHash('sha256').update(formatChunkList(list)).digest('hex')
      return { bytes: size, list, listSha256, storedBytes }
    } finally {
      await file.close()
    }
  }

  /** Writes what a list stands for into a file; holes stay holes. Throws DamagedChunk. */
  async restore(to: string, bytes: number, list: ChunkList, progress: ChunkProgress): Promise<void> {
    const file = await open(to, 'wx', 0o600)
    try {
      await file.truncate(bytes)
      await this.#each(bytes, list, progress, async (chunk, offset) => {
        await writeFully(file, chunk, offset)
      })
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Reads every chunk again; those that are wrong are put aside, and named. */
  async verify(bytes: number, list: ChunkList, progress: ChunkProgress): Promise<DamagedChunk[]> {
    const damaged: DamagedChunk[] = []
    const unlessDamaged = (error: DamagedChunk) => void damaged.push(error)
    await this.#each(bytes, list, progress, async () => undefined, unlessDamaged)
    return damaged
  }

  /** Removes what no list names, and what was put aside. */
  async sweep(named: ReadonlySet<string>): Promise<void> {
    const { suffix } = this.#vault
    for (const group of await namesIn(this.#folder)) {
      for (const name of await namesIn(join(this.#folder, group)))
        if (!name.endsWith(suffix) || !named.has(name.slice(0, -suffix.length)))
          await rm(join(this.#folder, group, name), { force: true })
      await rmdir(join(this.#folder, group)).catch((error: unknown) => {
        if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
      })
    }
  }

  async #each(
    bytes: number,
    list: ChunkList,
    { signal, onBytes }: ChunkProgress,
    use: (chunk: Buffer, offset: number) => Promise<void>,
    onDamaged?: (error: DamagedChunk) => void,
  ): Promise<void> {
    await eachChunk(list.length, signal, async (index) => {
      const sum = list[index]
      const offset = index * chunkBytes
      const length = Math.min(chunkBytes, bytes - offset)
      try {
        if (typeof sum === 'string') await use(await this.#read(sum, length), offset)
      } catch (error) {
        if (!(error instanceof DamagedChunk) || !onDamaged) throw error
        onDamaged(error)
      }
      onBytes(length)
    })
  }

  async #write(sum: string, chunk: Buffer): Promise<number> {
    const path = this.#path(sum)
    const temporary = join(path, '..', `${temporaryPrefix}${sum}`)
    const packed = await compress(chunk, {
      params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
    })
    const data = await this.#vault.seal(packed)
    try {
      await writeFile(temporary, data, { mode: 0o600 })
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      await makeFolder(join(path, '..'))
      await writeFile(temporary, data, { mode: 0o600 })
    }
    await rename(temporary, path)
    return data.length
  }

  /**
   * A chunk that is not what its name says is put aside: it then counts as absent, and the next backup of a disk that
   * still holds those bytes writes it anew, which mends every older backup that needs it.
   */
  async #read(sum: string, length: number): Promise<Buffer> {
    const path = this.#path(sum)
    let packed: Buffer<ArrayBuffer>
    try {
      packed = await readFile(path)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw new DamagedChunk(sum, 'it is missing')
      // A disk that cannot read a sector says so; the rest of it may well be good.
      if (isErrno(error, 'EIO')) throw new DamagedChunk(sum, 'the disk cannot read it')
      throw error
    }
    const chunk = await this.#vault
      .open(packed)
      .then((data) => decompress(data, { maxOutputLength: chunkBytes }))
      .catch(() => null)
    if (chunk?.length === length && (await this.#vault.name(chunk)) === sum) return chunk
    await rename(path, `${path}${damagedSuffix}`)
    throw new DamagedChunk(sum, 'it does not hold what its name says')
  }

  #path(sum: string): string {
    return join(this.#folder, sum.slice(0, 2), `${sum}${this.#vault.suffix}`)
  }
}

/** Goes through all indexes, a few at a time, each with a buffer of its own; the first failure ends it. */
async function eachChunk(
  count: number,
  signal: AbortSignal,
  work: (index: number, buffer: Buffer<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  let next = 0
  let failed = false
  const one = async () => {
    const buffer = Buffer.allocUnsafe(chunkBytes)
    while (next < count && !failed) {
      throwIfAborted(signal)
      await work(next++, buffer)
    }
  }
  const workers = Array.from({ length: Math.min(atOnce, count) }, () =>
    one().catch((error: unknown) => {
      failed = true
      throw error
    }),
  )
  // All of them: none may go on writing after this has failed.
  const ends = await Promise.allSettled(workers)
  const failure = ends.find((end) => end.status === 'rejected')
  if (failure) throw failure.reason
}

async function readFully(file: FileHandle, into: Buffer, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) throw new Error('a disk became shorter while it was read')
    done += bytesRead
  }
}

async function writeFully(file: FileHandle, from: Buffer, position: number): Promise<void> {
  for (let done = 0; done < from.length; ) {
    const { bytesWritten } = await file.write(from, done, from.length - done, position + done)
    done += bytesWritten
  }
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!isErrno(error, 'EEXIST')) throw error
  })
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  })
}
