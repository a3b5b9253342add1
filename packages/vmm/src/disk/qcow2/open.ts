import fs from 'node:fs'
import path from 'node:path'
import * as libc from '../../sys/libc.ts'
import { type Backing, RawBacking } from './backing.ts'
import { type CheckReport, checkImage } from './check.ts'
import { corrupt, Qcow2Error, unsupported } from './errors.ts'
import { CLUSTER, MAX_CHAIN } from './format.ts'
import { type BackingFormat, parseHeader, type Qcow2Header } from './header.ts'
import { Qcow2Image } from './image.ts'
import { type ImageFile, PosixFile } from './image-file.ts'
import { lockImage } from './lock.ts'

/** A file an image names as its base. */
interface BackingRequest {
  /** As written in the image. */
  readonly path: string
  /** With a relative name resolved against the folder of the image that names it; null when that folder is not known. */
  readonly resolved: string | null
  readonly format: BackingFormat
}

type FileOf = (fd: number, readOnly: boolean, borrowed: boolean) => PosixFile
const waitingFile: FileOf = (fd, readOnly, borrowed) => new PosixFile(fd, readOnly, borrowed)

export interface OpenOptions {
  readonly readOnly?: boolean
  /** What messages call the image; its path by default. */
  readonly name?: string
  /** Descriptors, the image's and what `backing` answers, stay the caller's: open after `close`, with their locks. */
  readonly borrowed?: boolean
  /** The folder relative backing names start from, when the image is given as a descriptor. */
  readonly directory?: string
  /**
   * Says what to open for a backing file: a path, or a descriptor opened for reading, which is taken over. A name in an
   * image is only what somebody wrote there, and opening it shows the guest that file; so by default only files in
   * the image's own folder or below are opened. Throws to refuse.
   */
  readonly backing?: (request: BackingRequest) => string | number
  readonly l2Pages?: number
  /** How the files are worked on; waiting for them by default. Takes the descriptor over unless it is `borrowed`. */
  readonly fileOf?: FileOf
  /** Told what the repair after an unclean end found. */
  readonly repaired?: (report: CheckReport) => void
}

/**
 * Opens an image and, read-only, the files it is based on. `source` is a path or a descriptor, which is taken
 * over (closed also on failure). An image that was not closed properly is checked, and leaked clusters are given back, before
 * it is written to. Throws Qcow2Error.
 */
export function openQcow2(source: string | number, options: OpenOptions = {}): Qcow2Image {
  return openChain(source, options, 1)
}

/** For tests and tools that bring their own file. Takes `file` over; the image has no backing file. */
export function openQcow2File(
  file: ImageFile,
  name: string,
  backing: Backing | null = null,
  l2Pages?: number,
): Qcow2Image {
  return openOn(file, name, {}, () => backing, l2Pages)
}

/** Checks the image without its backing files. With `repair`, gives leaked clusters back. */
export function checkQcow2(imagePath: string, options: { readonly repair?: boolean } = {}): CheckReport {
  const file = openLocked(imagePath, options.repair !== true, imagePath)
  try {
    return checkImage(file, readHeader(file, imagePath), imagePath, options.repair === true)
  } finally {
    file.close()
  }
}

function openChain(source: string | number, options: OpenOptions, depth: number): Qcow2Image {
  const name = options.name ?? (typeof source === 'string' ? source : `descriptor ${source}`)
  const file = openLocked(source, options.readOnly === true, name, options)
  const directory = options.directory ?? (typeof source === 'string' ? path.dirname(source) : undefined)
  return openOn(
    file,
    name,
    options,
    (header) =>
      header.backing === null ? null : openBacking(header.backing, directory, name, options, depth),
    options.l2Pages,
  )
}

function openOn(
  file: ImageFile,
  name: string,
  options: OpenOptions,
  openBase: (header: Qcow2Header) => Backing | null,
  l2Pages: number | undefined,
): Qcow2Image {
  let backing: Backing | null = null
  try {
    const header = readHeader(file, name)
    if (header.dirty && !file.readOnly) {
      const report = checkImage(file, header, name, true)
      if (report.corruptions > 0) throw corrupt(name, report.messages[0]!)
      options.repaired?.(report)
    }
    backing = openBase(header)
    return new Qcow2Image(file, header, { name, backing, ...(l2Pages === undefined ? {} : { l2Pages }) })
  } catch (error) {
    backing?.close()
    file.close()
    throw error
  }
}

/** The backing chain of an image at `imagePath`, opened for reading. */
export function openBackingOf(header: Qcow2Header, imagePath: string, options: OpenOptions): Backing | null {
  if (header.backing === null) return null
  return openBacking(header.backing, path.dirname(imagePath), imagePath, options, 1)
}

export function readHeader(file: ImageFile, name: string): Qcow2Header {
  const size = file.size()
  const bytes = new Uint8Array(Math.min(size, CLUSTER))
  file.read(0, bytes)
  return parseHeader(bytes, size, name)
}

function openBacking(
  backing: { readonly path: string; readonly format: BackingFormat },
  directory: string | undefined,
  name: string,
  options: OpenOptions,
  depth: number,
): Backing {
  if (depth >= MAX_CHAIN) throw unsupported(name, `is the top of a chain of more than ${MAX_CHAIN} images`)
  const resolved = path.isAbsolute(backing.path)
    ? backing.path
    : directory === undefined
      ? null
      : path.join(directory, backing.path)
  const choose = options.backing ?? ((request) => insideOf(directory, request, name))
  const source = choose({ path: backing.path, resolved, format: backing.format })
  const baseName = `${name}'s backing file ${backing.path}`
  if (backing.format === 'raw') return new RawBacking(openLocked(source, true, baseName, options))
  return openChain(
    source,
    {
      readOnly: true,
      name: baseName,
      ...(options.backing ? { backing: options.backing } : {}),
      ...(options.fileOf ? { fileOf: options.fileOf } : {}),
      borrowed: options.borrowed === true,
      ...(typeof source === 'string' ? {} : { directory: resolved === null ? '.' : path.dirname(resolved) }),
      // A base is read in larger, colder strokes than the disk itself.
      l2Pages: Math.ceil((options.l2Pages ?? 1024) / 4),
    },
    depth + 1,
  )
}

/** The default answer to where a backing file may be. Links are followed first, so that none leads out. */
function insideOf(directory: string | undefined, request: BackingRequest, name: string): string {
  if (directory === undefined || request.resolved === null) {
    throw new Qcow2Error('invalid', `${name} is based on ${request.path}, and nobody said where that is.`)
  }
  try {
    const real = fs.realpathSync(request.resolved)
    const relative = path.relative(fs.realpathSync(directory), real)
    if (!relative.startsWith('..') && !path.isAbsolute(relative)) return real
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new Qcow2Error('missing', `${name} is based on ${request.path}, which cannot be opened (${code}).`)
  }
  throw new Qcow2Error(
    'invalid',
    `${name} is based on ${request.path}, a file outside its folder; that is not allowed here.`,
  )
}

/**
 * Opens and locks: one writer, or any number of readers. The lock belongs to the descriptor and ends with the
 * process, however that ends.
 */
export function openLocked(
  source: string | number,
  readOnly: boolean,
  name: string,
  { borrowed = false, fileOf = waitingFile }: Pick<OpenOptions, 'borrowed' | 'fileOf'> = {},
): PosixFile {
  const given = typeof source === 'number'
  const fd = given ? source : openFd(source, readOnly, name)
  const file = fileOf(fd, readOnly, given && borrowed)
  try {
    if (!fs.fstatSync(fd).isFile()) throw new Qcow2Error('invalid', `${name} is not a regular file.`)
    if (!lockImage(fd, readOnly)) {
      throw new Qcow2Error('in-use', `${name} is in use by another machine or program; stop that one first.`)
    }
    return file
  } catch (error) {
    file.close()
    throw error
  }
}

export function openFd(file: string, readOnly: boolean, name: string): number {
  // Not blocking, because a FIFO in the place of a disk would hold the thread for ever.
  const flags = (readOnly ? libc.O.RDONLY : libc.O.RDWR) | libc.O.CLOEXEC | libc.O.NONBLOCK
  const fd = libc.open(file, flags, 0)
  if (fd >= 0) {
    // Its requests wait, though: on file systems that cannot tell beforehand whether they would (NFS, FUSE) an
    // io_uring takes O_NONBLOCK for a wish to be answered EAGAIN.
    libc.check('fcntl', libc.setStatusFlags(fd, 0))
    return fd
  }
  throw new Qcow2Error(
    'missing',
    `${name} cannot be opened: ${new libc.SystemError('open', libc.errno()).message}.`,
  )
}
