/** The end of a VM's serial log, for a console that is opened while the VM does not run. */
import { open } from 'node:fs/promises'

const scrollbackBytes = 256 * 1024

/** hearth-vmm rotates its serial log to `FILE.1`; what is missing in the newer file is taken from there. */
export async function readScrollback(path: string): Promise<Buffer> {
  const newer = await readEnd(path, scrollbackBytes)
  const older = await readEnd(`${path}.1`, scrollbackBytes - newer.length)
  return Buffer.concat([older, newer])
}

async function readEnd(path: string, maxBytes: number): Promise<Buffer> {
  if (maxBytes === 0) return Buffer.alloc(0)
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch {
    return Buffer.alloc(0)
  }
  try {
    const { size } = await file.stat()
    const length = Math.min(size, maxBytes)
    const buffer = Buffer.alloc(length)
    const { bytesRead } = await file.read(buffer, 0, length, size - length)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
