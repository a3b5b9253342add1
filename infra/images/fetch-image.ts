/** What all images from outside go through: fetched, checked, looked at, converted. Only then is there an image. */
import { mkdir, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Checksum } from '@hearth/shared/image'
import { formatBytes, GIB } from '@hearth/shared/units'
import { BuildError } from '../recipes/build-error.ts'
import type { BuildContext, BuiltImage } from '../recipes/recipe.ts'
import { type Algorithm, fileChecksums, findChecksum } from './checksum.ts'
import { convertDisk } from './convert.ts'
import { type DiskFormat, readFormat } from './disk-format.ts'
import { download } from './download.ts'
import { forgetDownload, partOf } from './download-parts.ts'
import { type FetchRules, getText, unreachable } from './http-source.ts'
import { type SigningKey, signedText } from './signature.ts'

/** A checksum, the distribution's list that has it, or null: then it is only shown. */
type Expected = Checksum | SignedList | null

export interface SignedList {
  readonly list: string
  readonly algorithm: Algorithm
  /** Who signs the list, and where its signature is; without `url` it is in the list itself (clear-signed). */
  readonly signature?: { readonly key: SigningKey; readonly url?: string | undefined } | undefined
}

export interface FetchRequest {
  readonly imageUid: string
  readonly from:
    | { type: 'address'; url: string; checksum: Expected; allowPrivate: boolean }
    /** A file that is here already; it is gone when the image is made. */
    | { type: 'file'; path: string; checksum: Expected }
  readonly minDiskBytes: number
}

const maxList = 1024 * 1024
/** A share of the whole for each part of the work, in percent. */
const share = { fetched: 80, checked: 88, converted: 98 }

export async function fetchImage(context: BuildContext, request: FetchRequest): Promise<BuiltImage> {
  const { signal, progress, log } = context
  const { from } = request
  const rules: FetchRules = {
    allowPrivate: from.type === 'address' && from.allowPrivate,
    allowDowngrade: from.checksum !== null,
  }
  let file: string
  if (from.type === 'address') {
    file = partOf(context.images, request.imageUid)
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
    progress(0, 'Asking the server')
    log(`fetching ${from.url}\n`)
    await download({
      url: from.url,
      part: file,
      rules,
      signal,
      onProgress: (transfer) =>
        progress(
          transfer.totalBytes ? (transfer.bytes / transfer.totalBytes) * share.fetched : 1,
          'Downloading',
          transfer,
        ),
      onTrouble: (message) => log(`broken off: ${message}\n`),
    })
  } else file = from.path
  progress(share.fetched, 'Checking the file')
  const sha256 = await verify(file, from.checksum, urlOf(request), {
    ...context,
    rules,
    onProgress: (fraction) =>
      progress(share.fetched + fraction * (share.checked - share.fetched), 'Checking the file'),
  }).catch(async (error: unknown) => {
    // What is here is not what was wanted: going on from it would never come to anything else.
    if (error instanceof WrongChecksum) await forgetDownload(file)
    throw error
  })
  const format = await readFormat(file).catch(async (error: unknown) => {
    if (error instanceof BuildError && from.type === 'address') await forgetDownload(file)
    throw error
  })
  const built = await makeDisk(context, file, format)
  await forgetDownload(file)
  return {
    ...built,
    sha256,
    minDiskBytes: Math.max(request.minDiskBytes, format.format === 'iso' ? 0 : Math.max(format.bytes, GIB)),
    ...(format.format === 'iso' ? { cloudInit: false, loginUser: null } : {}),
  }
}

class WrongChecksum extends BuildError {}

/** Returns the file's SHA-256, whatever was expected. */
async function verify(
  file: string,
  expected: Expected,
  name: string,
  context: BuildContext & { rules: FetchRules; onProgress: (fraction: number) => void },
): Promise<string> {
  const { signal, rules, onProgress } = context
  const wanted = expected && 'list' in expected ? await fromList(expected, name, rules, signal) : expected
  const algorithms: Algorithm[] = wanted?.algorithm === 'sha512' ? ['sha256', 'sha512'] : ['sha256']
  const sums = await fileChecksums(file, algorithms, { signal, onProgress })
  if (wanted && sums[wanted.algorithm] !== wanted.hex)
    throw new WrongChecksum(
      `The file is not the one that was expected: its ${wanted.algorithm.toUpperCase()} is ${sums[wanted.algorithm]}, expected was ${wanted.hex}. Nothing of it is kept. ${expected && 'list' in expected ? 'Try again later: the mirror may be in the middle of an update.' : 'Look at address and checksum.'}`,
    )
  return sums.sha256!
}

async function fromList(
  expected: SignedList,
  name: string,
  rules: FetchRules,
  signal: AbortSignal,
): Promise<Checksum> {
  // The list is what everything else is trusted by: it comes encrypted all the way.
  const get = (url: string) =>
    getText(url, { ...rules, allowDowngrade: false }, { maxBytes: maxList, signal }).catch(
      (error: unknown) => {
        signal.throwIfAborted()
        throw error instanceof BuildError || !(error instanceof Error)
          ? error
          : unreachable(url, error.message)
      },
    )
  const { signature } = expected
  let text = await get(expected.list)
  if (signature) {
    const apart = signature.url === undefined ? null : await get(signature.url)
    text = await signedText(text, apart, signature.key, expected.list)
  }
  const hex = findChecksum(text, name, expected.algorithm)
  if (hex === undefined)
    throw new BuildError(
      `${expected.list} has no checksum of ${name}. There may be a newer version; update Hearth.`,
    )
  return { algorithm: expected.algorithm, hex }
}

async function makeDisk(context: BuildContext, file: string, format: DiskFormat): Promise<BuiltImage> {
  const { folder, work, signal, log, progress } = context
  if (format.format === 'iso') {
    // As it is, on the same file system: no byte is copied.
    await rename(file, path.join(folder, 'disc.iso'))
    const { size } = await stat(path.join(folder, 'disc.iso'))
    return { ...firmware, kind: 'iso', disk: { file: 'disc.iso', bytes: size } }
  }
  progress(share.checked, 'Unpacking the disk')
  log(`${format.format}, ${formatBytes(format.bytes)}\n`)
  await convertDisk({
    source: file,
    format,
    target: path.join(folder, 'disk.raw'),
    work,
    signal,
    log,
    onProgress: (fraction) =>
      progress(share.checked + fraction * (share.converted - share.checked), 'Unpacking the disk'),
  })
  return { ...firmware, kind: 'disk', disk: { file: 'disk.raw', bytes: format.bytes } }
}

const firmware = { boot: 'firmware', kernel: null, initrd: null, cmdline: '' } as const

function urlOf({ from }: FetchRequest): string {
  return from.type === 'address' ? path.basename(new URL(from.url).pathname) : path.basename(from.path)
}
