/** Queue notifies of one device that never leave the kernel: an eventfd for each queue. */
import type { EventLoop, Registration } from '../io/event-loop.ts'
import * as libc from '../sys/libc.ts'

/** eventfd(2): a read takes 8 bytes and zeroes the count. */
const EVENTFD_BYTES = 8

export class QueueKicks {
  private readonly kicks: { fd: number; registration: Registration }[] = []
  private readonly buffer = new Uint8Array(EVENTFD_BYTES)

  constructor(loop: EventLoop, queues: number, notified: (index: number) => void) {
    for (let index = 0; index < queues; index++) {
      const fd = libc.check('eventfd', libc.eventfdCreate(0, libc.EFD.CLOEXEC | libc.EFD.NONBLOCK))
      const registration = loop.onReadable(fd, () => {
        // Take the count first: a ring that comes after this is a new event.
        if (libc.read(fd, this.buffer, EVENTFD_BYTES) === EVENTFD_BYTES) notified(index)
      })
      this.kicks.push({ fd, registration })
    }
  }

  each(visit: (fd: number, index: number) => void): void {
    for (const [index, { fd }] of this.kicks.entries()) visit(fd, index)
  }

  /** After the last of them has been taken back from KVM. */
  close(): void {
    for (const { fd, registration } of this.kicks.splice(0)) {
      registration.remove()
      libc.close(fd)
    }
  }
}
