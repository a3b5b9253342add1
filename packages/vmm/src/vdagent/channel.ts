/**
 * The bytes between the guest's agent port, which the I/O thread owns, and the display thread, in shared memory. Each
 * opening and closing of the port by the guest begins an epoch; bytes carry theirs, so that what was on the way to or
 * from one program of the guest never reaches the next one.
 */
import { SharedRing } from '../serial/shared-ring.ts'

const CAPACITY = 64 * 1024
/** Words: the epoch (odd: the guest has the port open), and a counter that wakes the display thread. */
const EPOCH = 0
const SIGNAL = 1
const WORDS_BYTES = 16
/** Of a record: u32 epoch, u32 length. */
const HEADER_BYTES = 8
const RING_BYTES = SharedRing.byteLength(CAPACITY)

/** Most bytes of one record. */
export const MAX_RECORD = 4096

export interface AgentRecord {
  readonly epoch: number
  readonly bytes: Uint8Array
}

export const createAgentMemory = (): SharedArrayBuffer => new SharedArrayBuffer(WORDS_BYTES + 2 * RING_BYTES)

/** Both threads make one over the same memory. */
export class AgentChannel {
  private readonly words: Int32Array
  private readonly toHost: SharedRing
  private readonly toGuest: SharedRing

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, 0, 2)
    this.toHost = new SharedRing(memory, WORDS_BYTES, CAPACITY)
    this.toGuest = new SharedRing(memory, WORDS_BYTES + RING_BYTES, CAPACITY)
  }

  get epoch(): number {
    return Atomics.load(this.words, EPOCH)
  }

  get guestOpen(): boolean {
    return (this.epoch & 1) !== 0
  }

  /* The I/O thread's side. */

  setGuestOpen(open: boolean): void {
    if (open === this.guestOpen) return
    Atomics.add(this.words, EPOCH, 1)
    this.signal()
  }

  /** False: there is no room. */
  putToHost(bytes: Uint8Array): boolean {
    if (!this.toHost.write(record(this.epoch, bytes))) return false
    this.signal()
    return true
  }

  /** Whether a record of the largest size fits. */
  get hasRoomToHost(): boolean {
    return this.toHost.capacity - this.toHost.length >= HEADER_BYTES + MAX_RECORD
  }

  /** The next bytes for the program that has the port open now; those for an older one are dropped. */
  takeToGuest(): Uint8Array | null {
    for (let next = take(this.toGuest); next !== null; next = take(this.toGuest)) {
      // The display thread may have more, and waits for room.
      this.signal()
      if (next.epoch === this.epoch) return next.bytes
    }
    return null
  }

  /* The display thread's side. */

  /** False: there is no room. `epoch` is the one the bytes are meant for. */
  putToGuest(epoch: number, bytes: Uint8Array): boolean {
    return this.toGuest.write(record(epoch, bytes))
  }

  /** The next bytes of the guest's, and the epoch they are of. */
  takeToHost(): AgentRecord | null {
    return take(this.toHost)
  }

  get signalled(): number {
    return Atomics.load(this.words, SIGNAL)
  }

  /** Calls `wake` once when something changed since `signalled` was `seen`. */
  onSignal(seen: number, wake: () => void): void {
    const wait = Atomics.waitAsync(this.words, SIGNAL, seen)
    if (wait.async) wait.value.then(wake)
    else setImmediate(wake)
  }

  private signal(): void {
    Atomics.add(this.words, SIGNAL, 1)
    Atomics.notify(this.words, SIGNAL)
  }
}

function record(epoch: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_RECORD) throw new RangeError(`${bytes.length} bytes are no record`)
  const whole = new Uint8Array(HEADER_BYTES + bytes.length)
  const view = new DataView(whole.buffer)
  view.setInt32(0, epoch, true)
  view.setUint32(4, bytes.length, true)
  whole.set(bytes, HEADER_BYTES)
  return whole
}

function take(ring: SharedRing): AgentRecord | null {
  if (ring.length === 0) return null
  // A record is written at once: with its header the rest is there.
  const header = new Uint8Array(HEADER_BYTES)
  ring.read(header)
  const view = new DataView(header.buffer)
  const bytes = new Uint8Array(view.getUint32(4, true))
  ring.read(bytes)
  return { epoch: view.getInt32(0, true), bytes }
}
