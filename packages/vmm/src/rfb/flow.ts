/**
 * How much may be on its way to one viewer. Between us and a browser lie several buffers we cannot see (the
 * agent's, the portal's, the kernels'); a frame that waits in them is late. So every update is followed by a
 * fence, and its answer tells when the viewer had it: while too much is unanswered, no new frame is made, and the
 * next one shows the newest picture. Times are in ms.
 */
interface InFlight {
  readonly id: number
  readonly bytes: number
  readonly sentAt: number
}

/** Queueing we take before slowing down. */
const TOLERATED_QUEUE = 40
const MAX_WINDOW = 12
/** An answer that never comes must not stop the picture for good. */
const GIVE_UP = 5000
/** How long the smallest round trip stays the measure. */
const BASE_LIFETIME = 15_000
const MIN_BUDGET = 48 * 1024
const MAX_BUDGET = 4 * 1024 * 1024

export class Flow {
  /** Round trip of the last answered update, 0 before the first. */
  roundTrip = 0
  private inFlight: InFlight[] = []
  private nextId = 1
  private window = 2
  private base = Number.POSITIVE_INFINITY
  private baseAt = 0
  private lastAnswer = 0
  /** Bytes per ms while the link was busy; 0 while unknown. */
  private rate = 0

  /** When another update may go at the earliest: now, or when we stop waiting for answers. */
  opensAt(now: number): number {
    const oldest = this.inFlight[0]
    if (oldest === undefined) return now
    const givenUp = oldest.sentAt + GIVE_UP
    if (now >= givenUp) this.inFlight = []
    return this.inFlight.length < Math.floor(this.window) ? now : givenUp
  }

  /** Notes an update of `bytes`; returns the id its fence carries. */
  sent(bytes: number, now: number): number {
    const id = this.nextId
    this.nextId = (this.nextId + 1) >>> 0 || 1
    this.inFlight.push({ id, bytes, sentAt: now })
    return id
  }

  /** The fence `id` came back. Unknown ids say nothing. */
  answered(id: number, now: number): void {
    const index = this.inFlight.findIndex((entry) => entry.id === id)
    if (index < 0) return
    const limited = this.inFlight.length >= Math.floor(this.window)
    const entry = this.inFlight[index]!
    this.inFlight.splice(0, index + 1)
    const roundTrip = now - entry.sentAt
    this.roundTrip = roundTrip
    if (roundTrip <= this.base || now - this.baseAt > BASE_LIFETIME) {
      this.base = roundTrip
      this.baseAt = now
    }
    const busy = now - Math.max(entry.sentAt, this.lastAnswer)
    this.lastAnswer = now
    if (entry.bytes > 16 * 1024) {
      const rate = entry.bytes / Math.max(busy, 0.5)
      this.rate = this.rate === 0 ? rate : this.rate * 0.8 + rate * 0.2
    }
    if (roundTrip > this.base + TOLERATED_QUEUE) this.window = Math.max(1, this.window * 0.7)
    else if (limited) this.window = Math.min(MAX_WINDOW, this.window + 1 / this.window)
  }

  /** Bytes one update should not exceed by much: what the link carries in a tenth of a second. */
  get budget(): number {
    if (this.rate === 0) return 1024 * 1024
    return Math.min(MAX_BUDGET, Math.max(MIN_BUDGET, this.rate * 100))
  }

  /** A link on which a full picture without loss would take long. */
  get slow(): boolean {
    return this.rate !== 0 && this.rate < 1500
  }
}
