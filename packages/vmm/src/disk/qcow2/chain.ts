import path from 'node:path'
import * as libc from '../../sys/libc.ts'
import type { NativeBuffer } from '../../sys/native-buffer.ts'
import { IovecList } from '../../virtio/chain.ts'
import type { FileQueue } from '../file-queue.ts'
import { Qcow2Disk } from './disk.ts'
import { Qcow2Error } from './errors.ts'
import type { Qcow2Image } from './image.ts'
import { type PosixFile, QueuedFile } from './image-file.ts'
import { type OpenOptions, openFd, openQcow2 } from './open.ts'

/** An image and what it is based on, opened and locked: what one thread opens and another one works on. */
export interface Qcow2Chain {
  readonly path: string
  readonly readOnly: boolean
  readonly fd: number
  /** The image's own, opened with O_DIRECT: what it is based on is shared with others, and stays in the page cache. */
  readonly directFd?: number | undefined
  /** Of the backing files, the image's own first. */
  readonly baseFds: readonly number[]
}

/**
 * Opens an image that a person named and, wherever they lie, the files it is based on; repairs it when it was not
 * closed properly. So whatever is wrong with it is known before a machine starts. The descriptors are the
 * caller's. Throws Qcow2Error.
 */
export function openQcow2Chain(imagePath: string, readOnly: boolean): Qcow2Chain {
  const fds: number[] = []
  try {
    const fd = openFd(imagePath, readOnly, imagePath)
    fds.push(fd)
    const image = openQcow2(fd, {
      readOnly,
      name: imagePath,
      directory: path.dirname(imagePath),
      borrowed: true,
      backing: ({ path: written, resolved }) => {
        if (resolved === null)
          throw new Qcow2Error('missing', `${imagePath} is based on ${written}, which is nowhere.`)
        const base = openFd(resolved, true, `${imagePath}'s backing file ${written}`)
        fds.push(base)
        return base
      },
    })
    image.close()
    return { path: imagePath, readOnly, fd, baseFds: fds.slice(1) }
  } catch (error) {
    for (const fd of fds) libc.close(fd)
    throw error
  }
}

/**
 * The disk over a chain. `report` is told when the image fails while the guest uses it. With `keepRings` the descriptors
 * must live as long as the thread. Throws Qcow2Error.
 */
export function qcow2Disk(
  chain: Qcow2Chain,
  report: (message: string) => void,
  { keepRings = false, l2Pages }: { readonly keepRings?: boolean; readonly l2Pages?: number } = {},
): Qcow2Disk {
  const queues: FileQueue[] = []
  const fileOf = (fd: number, readOnly: boolean): PosixFile => {
    const file = new QueuedFile(fd, readOnly, true, keepRings, fd === chain.fd ? chain.directFd : undefined)
    queues.push(file.queue)
    return file
  }
  const image = openChain(chain, { fileOf, ...(l2Pages === undefined ? {} : { l2Pages }) })
  return new Qcow2Disk(image, queues, report)
}

/** Copies bytes from the start of the disk into `target`, as far as there are any; returns how many. */
export function readQcow2Start(chain: Qcow2Chain, target: NativeBuffer): number {
  const image = openChain({ ...chain, readOnly: true })
  const count = Math.min(target.length, image.size)
  const iov = new IovecList(1)
  iov.set(0, target.address, count)
  image.readv(0, iov, 1, count)
  image.close()
  return count
}

function openChain(chain: Qcow2Chain, options: Pick<OpenOptions, 'fileOf' | 'l2Pages'> = {}): Qcow2Image {
  const bases = chain.baseFds.values()
  return openQcow2(chain.fd, {
    readOnly: chain.readOnly,
    name: chain.path,
    borrowed: true,
    ...options,
    backing: ({ path: written }) => {
      const next = bases.next()
      if (next.done)
        throw new Qcow2Error(
          'corrupt',
          `${chain.path} has got a backing file ${written} since it was opened.`,
        )
      return next.value
    },
  })
}
