/** A snapshot on disk: a folder with `vm.json` and `memory`. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import type { VmSnapshot } from '@hearth/shared/vm-snapshot'
import type { DirtyPages } from '../memory/dirty-pages.ts'
import type { GuestRam } from '../memory/guest-ram.ts'
import { usageError } from '../sys/exit-error.ts'
import { writeMemoryFile } from './memory-file.ts'

const DOCUMENT = 'vm.json'
const MEMORY = 'memory'
/** Of incremental snapshots, each based on the one before. */
const MAX_CHAIN = 64
/** A document of 32 vCPUs has some hundred KiB; a screen's pictures are at most 128 MiB, in base64. */
const MAX_DOCUMENT = 192 * 1024 * 1024

/** Where a snapshot is written to. */
interface SnapshotWriter {
  /** Returns the bytes written: what is not zero, or with `changed` what changed since the snapshot before. Neither vCPUs nor devices may run. */
  writeMemory(ram: GuestRam, changed?: DirtyPages): Promise<number>
  /** Makes everything durable and the snapshot whole. The guest may run again. */
  finish(document: VmSnapshot): void
  abandon(): void
}

/** A folder that is not there yet: it is written beside its place and gets its name last. */
export class FolderWriter implements SnapshotWriter {
  private readonly folder: string
  private readonly partial: string

  /** Throws with a line for people when `folder` cannot be made. */
  constructor(folder: string) {
    if (existsSync(folder)) throw new Error(`${folder} is there already: name a folder that is not`)
    this.folder = path.resolve(folder)
    this.partial = `${this.folder}.partial`
    // Left behind by a process that died.
    rmSync(this.partial, { recursive: true, force: true })
    try {
      mkdirSync(this.partial, { mode: 0o700 })
    } catch (error) {
      throw new Error(`${folder} cannot be made (${(error as NodeJS.ErrnoException).code})`)
    }
  }

  async writeMemory(ram: GuestRam, changed?: DirtyPages): Promise<number> {
    const fd = openSync(path.join(this.partial, MEMORY), 'wx', 0o600)
    try {
      return await writeMemoryFile(fd, ram, changed)
    } finally {
      closeSync(fd)
    }
  }

  finish(document: VmSnapshot): void {
    writeFileSync(path.join(this.partial, DOCUMENT), JSON.stringify(document), { flag: 'wx', mode: 0o600 })
    for (const name of [MEMORY, DOCUMENT, '']) sync(path.join(this.partial, name))
    renameSync(this.partial, this.folder)
    sync(path.dirname(this.folder))
  }

  abandon(): void {
    rmSync(this.partial, { recursive: true, force: true })
  }
}

/**
 * A folder whose files are opened when the process starts, because a jailed one can open nothing later. It is whole
 * while `vm.json` is: that is emptied first and written last. An incremental snapshot brings it up to date: only what
 * changed is written, over what was there, and it is whole again. Whoever wants to keep a snapshot copies it, or moves
 * the folder away after the process has ended.
 */
export class SnapshotSlot implements SnapshotWriter {
  private readonly memoryFd: number
  private readonly documentFd: number

  /** Throws ExitError (code 1): the command line names the folder. */
  constructor(folder: string) {
    try {
      // Not recursive, which never ends in a file system that makes no folders (Node, below /proc).
      if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
      this.memoryFd = openSync(path.join(folder, MEMORY), 'w+', 0o600)
      this.documentFd = openSync(path.join(folder, DOCUMENT), 'w+', 0o600)
    } catch (error) {
      throw usageError(
        `--snapshot-slot ${folder}: it cannot be made (${(error as NodeJS.ErrnoException).code})`,
      )
    }
  }

  writeMemory(ram: GuestRam, changed?: DirtyPages): Promise<number> {
    if (changed === undefined) this.abandon()
    else {
      ftruncateSync(this.documentFd, 0)
      // A power cut must not leave the old document beside memory that is half new.
      fsyncSync(this.documentFd)
    }
    return writeMemoryFile(this.memoryFd, ram, changed)
  }

  finish(document: VmSnapshot): void {
    fsyncSync(this.memoryFd)
    const bytes = Buffer.from(JSON.stringify(document))
    // A disk that is nearly full takes a part, and says so at the next.
    for (let at = 0; at < bytes.length; ) at += writeSync(this.documentFd, bytes, at, bytes.length - at, at)
    fsyncSync(this.documentFd)
  }

  abandon(): void {
    ftruncateSync(this.documentFd, 0)
    ftruncateSync(this.memoryFd, 0)
  }
}

function sync(file: string): void {
  const fd = openSync(file, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** A snapshot to start from. */
export interface OpenSnapshot {
  readonly document: VmSnapshot
  /** The memory file, opened for reading; as long as the document says. */
  readonly memoryFd: number
  /** Memory files that go over it, the oldest first. */
  readonly increments: readonly number[]
}

/** Opens and checks `folder`. Throws ExitError (code 1) with the reason: the command line names the folder. */
export async function openSnapshot(folder: string): Promise<OpenSnapshot> {
  const last = await openOne(folder)
  const fds = [last.memoryFd]
  for (let at = last.document; at.base !== undefined; ) {
    if (fds.length > MAX_CHAIN)
      throw usageError(`--restore ${folder}: more than ${MAX_CHAIN} snapshots in a row`)
    // A plain name, so that a document can point nowhere but beside itself.
    const base = await openOne(path.join(path.dirname(path.resolve(folder)), at.base.name))
    if (base.document.id !== at.base.id || base.document.memoryBytes !== at.memoryBytes) {
      throw usageError(`--restore ${folder}: ${at.base.name} is not the snapshot it is based on`)
    }
    fds.unshift(base.memoryFd)
    at = base.document
  }
  return { document: last.document, memoryFd: fds[0]!, increments: fds.slice(1) }
}

async function openOne(folder: string): Promise<{ document: VmSnapshot; memoryFd: number }> {
  const refuse = (reason: string): Error => usageError(`--restore ${folder}: ${reason}`)
  const open = (name: string): number => {
    try {
      // Not blocking: a FIFO in its place would hold the thread until somebody writes to it.
      const fd = openSync(path.join(folder, name), constants.O_RDONLY | constants.O_NONBLOCK)
      if (fstatSync(fd).isFile()) return fd
      closeSync(fd)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw refuse(`${name} does not open (${code})`)
    }
    throw refuse(`there is no snapshot: ${name} is missing`)
  }
  const documentFd = open(DOCUMENT)
  let value: unknown
  try {
    if (fstatSync(documentFd).size > MAX_DOCUMENT) throw refuse(`${DOCUMENT} is too large`)
    value = JSON.parse(readFileSync(documentFd, 'utf8'))
  } catch (error) {
    throw error instanceof SyntaxError ? refuse(`${DOCUMENT} is not JSON`) : error
  } finally {
    closeSync(documentFd)
  }
  // Loaded here alone: a VM that starts cold has no use for the schema library.
  const { parseVmSnapshot } = await import('@hearth/shared/vm-snapshot')
  const parsed = parseVmSnapshot(value)
  if (!parsed.ok) throw refuse(parsed.error)
  const { snapshot } = parsed
  if (snapshot.vcpus.length !== snapshot.cpus) throw refuse(`${DOCUMENT} does not describe every vCPU`)
  const memoryFd = open(MEMORY)
  const { size } = fstatSync(memoryFd)
  if (size !== snapshot.memoryBytes) {
    closeSync(memoryFd)
    throw refuse(`${MEMORY} has ${size} bytes and should have ${snapshot.memoryBytes}`)
  }
  return { document: snapshot, memoryFd }
}
