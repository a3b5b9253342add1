/**
 * Bulk traffic and the scheduler. A thread that is woken interrupts whatever runs on its processor (wake-up preemption).
 * Where a vCPU, or the host's own end of the connection, has to share that processor, this cuts a stream into single
 * packets: each is followed by a change of threads, an exit and an interrupt. A thread of the policy SCHED_BATCH
 * (sched(7)) waits until they sleep or their time is over, and then finds many packets at once. Where a processor is
 * free it runs at once all the same.
 */
import * as libc from '../sys/libc.ts'
import type { EventLoop, Registration } from './event-loop.ts'

/** A thread moves a lot that moves `BULK_BYTES` in this time: some 50 Mbit/s. */
const WINDOW_MS = 20
const BULK_BYTES = 128 * 1024
/** The calling thread. */
const SELF = 0
/** A batch thread has no priority of its own; its nice value stays. */
const PARAMETERS = new Int32Array([0])

/** What the calling thread's networks move, and its scheduling policy while that is a lot. */
export class BulkTraffic {
  private readonly loop: EventLoop
  private since = Number.NEGATIVE_INFINITY
  private bytes = 0
  private look: Registration | undefined
  /** Whoever gave the thread another policy than the usual one knows why. */
  private refused = false

  constructor(loop: EventLoop) {
    this.loop = loop
  }

  /** Called by networks after each turn in which they moved something. */
  moved(bytes: number): void {
    this.bytes += bytes
    if (this.look !== undefined || this.refused) return
    const now = performance.now()
    if (now - this.since > WINDOW_MS) {
      this.since = now
      this.bytes = bytes
    }
    if (this.bytes < BULK_BYTES) return
    if (changePolicy(libc.SCHED.OTHER, libc.SCHED.BATCH)) this.watch()
    else this.refused = true
  }

  /** Gives the thread back as it was. */
  close(): void {
    if (this.look === undefined) return
    this.look.remove()
    this.look = undefined
    changePolicy(libc.SCHED.BATCH, libc.SCHED.OTHER)
  }

  private watch(): void {
    this.bytes = 0
    this.look = this.loop.after(WINDOW_MS, () => {
      if (this.bytes >= BULK_BYTES) this.watch()
      else this.close()
    })
  }
}

/** False: the thread had another policy than `from`, and still has. */
function changePolicy(from: number, to: number): boolean {
  return libc.schedGetscheduler(SELF) === from && libc.schedSetscheduler(SELF, to, PARAMETERS) === 0
}
