/** The end of a VM's serial log, for a console that is opened while the VM does not run. */
import { open } from 'node:fs/promises'

export const scrollbackBytes = 256 * 1024

export async function readScrollback(path: string): Promise<Buffer> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch {
    return Buffer.alloc(0)
  }
  try {
    const { size } = await file.stat()
    const length = Math.min(size, scrollbackBytes)
    const buffer = Buffer.alloc(length)
    const { bytesRead } = await file.read(buffer, 0, length, size - length)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
