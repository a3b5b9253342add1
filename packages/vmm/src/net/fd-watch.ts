import type { EventLoop, Registration } from '../io/event-loop.ts'
import type { NetListener } from './backend.ts'

/** The registrations of one fd, switched on and off as a device needs them. */
export class FdWatch {
  private readonly fd: number
  private loop: EventLoop | undefined
  private listener: NetListener | undefined
  private reading: Registration | undefined
  private writing: Registration | undefined

  constructor(fd: number) {
    this.fd = fd
  }

  start(loop: EventLoop, listener: NetListener): void {
    this.stop()
    this.loop = loop
    this.listener = listener
  }

  readable(on: boolean): void {
    if (on) this.reading ??= this.loop?.onReadable(this.fd, () => this.listener?.readable())
    else {
      this.reading?.remove()
      this.reading = undefined
    }
  }

  writable(on: boolean): void {
    if (on) this.writing ??= this.loop?.onWritable(this.fd, () => this.listener?.writable())
    else {
      this.writing?.remove()
      this.writing = undefined
    }
  }

  /** Stops watching and tells the device that the cable is cut. */
  linkDown(reason: string): void {
    const { listener } = this
    this.stop()
    listener?.linkDown(reason)
  }

  stop(): void {
    this.readable(false)
    this.writable(false)
    this.loop = undefined
    this.listener = undefined
  }
}
