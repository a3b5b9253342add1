import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { makeGrubDisk } from '../../packages/vmm/src/firmware/testing/grub-disk.ts'

export interface ServedFile {
  readonly url: string
  /** SHA-256, hexadecimal. */
  readonly checksum: string
  stop(): Promise<void>
}

/**
 * Kernel and initial RAM disk of the Tiny Linux that this Hearth has built, as what distributions publish: a whole disk
 * with its own boot loader, in qcow2, on a server that says its checksum.
 */
export async function serveTinyDisk(): Promise<ServedFile> {
  const tiny = path.join(process.env.HEARTH_STATE ?? '', 'images/tiny-linux')
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-tiny-disk-'))
  const raw = path.join(folder, 'disk.raw')
  const qcow2 = path.join(folder, 'disk.qcow2')
  await makeGrubDisk(path.join(folder, 'work'), raw, {
    ...{ kernel: path.join(tiny, 'vmlinuz'), initrd: path.join(tiny, 'initrd') },
    commandLine: 'console=ttyS0',
  })
  await promisify(execFile)('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2])
  const body = await readFile(qcow2)
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': body.length }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tiny.qcow2`,
    checksum: createHash('sha256').update(body).digest('hex'),
    async stop() {
      server.close()
      server.closeAllConnections()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
