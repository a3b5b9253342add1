/** Makes UEFI's variables durable, as the guest changes them. */
import { fdatasync, write } from 'node:fs'
import { viewOf } from '../sys/libc.ts'
import type { VariableStore } from './images.ts'

/**
 * One write is under way at a time, however often the guest changes something meanwhile: a guest that does nothing else
 * costs the host one file's writes, and no memory.
 */
export class VariableKeeper {
  private readonly store: VariableStore
  private readonly warn: (text: string) => void
  private underWay: Promise<void> | undefined
  private again = false

  constructor(store: VariableStore, warn: (text: string) => void) {
    this.store = store
    this.warn = warn
  }

  changed(): void {
    this.again = true
    this.underWay ??= this.work()
  }

  /** Resolves when what was changed is durable, or could not be made so. */
  async settled(): Promise<void> {
    await this.underWay
  }

  private async work(): Promise<void> {
    while (this.again) {
      this.again = false
      const error = await this.keep()
      if (error) this.warn(`the UEFI variables may not be kept: ${error.message}`)
    }
    this.underWay = undefined
  }

  private keep(): Promise<Error | null> {
    const { fd, hostAddress, size, writeBack } = this.store
    return new Promise((resolve) => {
      if (fd === undefined) resolve(null)
      // In the file already, for every reader but a power cut.
      else if (!writeBack) fdatasync(fd, resolve)
      else {
        write(fd, new Uint8Array(viewOf(hostAddress, size)), 0, size, 0, (error) => {
          if (error) resolve(error)
          else fdatasync(fd, resolve)
        })
      }
    })
  }
}
