import path from 'node:path'
import * as libc from '../../sys/libc.ts'
import { Qcow2Disk } from './disk.ts'
import { Qcow2Error } from './errors.ts'
import { openFd, openQcow2 } from './open.ts'

/** An image and what it is based on, opened and locked: what one thread opens and another one works on. */
export interface Qcow2Chain {
  readonly path: string
  readonly readOnly: boolean
  readonly fd: number
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

/** The disk over a chain. `report` is told when the image fails while the guest uses it. Throws Qcow2Error. */
export function qcow2Disk(chain: Qcow2Chain, report: (message: string) => void): Qcow2Disk {
  const bases = chain.baseFds.values()
  const image = openQcow2(chain.fd, {
    readOnly: chain.readOnly,
    name: chain.path,
    borrowed: true,
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
  return new Qcow2Disk(image, report)
}
