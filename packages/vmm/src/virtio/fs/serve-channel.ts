/** The folder's thread: takes what the device's thread asks, in a loop that never ends. */
import { viewOf, write } from '../../sys/libc.ts'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { tidyUp } from '../../sys/thrift.ts'
import { COMMAND, CONTROL, type FsChannel, STATE } from './channel.ts'
import { MAX_MESSAGES, MESSAGES_BYTES, messagesOver } from './server.ts'
import type { Session } from './session.ts'

const ONE = new BigUint64Array([1n])
/** When nobody asked for so long, there is time to give memory back. */
const IDLE_MS = 20_000

/** `rounds` ends it, for tests. */
export function serveChannel(channel: FsChannel, session: Session, rounds = Number.POSITIVE_INFINITY): void {
  const control = new Int32Array(channel.control)
  const messages = messagesOver(viewOf(channel.messagesAddress, MESSAGES_BYTES))
  const commands = new Commands(control, session)
  let asked = 0
  for (let round = 0; round < rounds; round++) {
    if (Atomics.wait(control, CONTROL.asked, asked, IDLE_MS) === 'timed-out') tidyUp()
    // Read before looking: what is asked from here on ends the next wait at once.
    asked = Atomics.load(control, CONTROL.asked)
    let answers = 0
    for (let i = 0; i < MAX_MESSAGES; i++) {
      if (Atomics.load(control, CONTROL.states + i) !== STATE.asked) continue
      session.serve(messages[i]!)
      Atomics.store(control, CONTROL.states + i, STATE.answered)
      Atomics.add(control, CONTROL.answered, 1)
      Atomics.notify(control, CONTROL.answered)
      write(channel.answeredFd, ONE, 8)
      answers++
    }
    if (answers === 0) commands.run()
  }
}

class Commands {
  private readonly control: Int32Array
  private readonly session: Session
  /** Lives until the next command: the other thread reads it. */
  private saved: NativeBuffer | undefined

  constructor(control: Int32Array, session: Session) {
    this.control = control
    this.session = session
  }

  run(): void {
    const { control, session } = this
    const command = Atomics.load(control, CONTROL.command)
    if (command === COMMAND.none || command >= COMMAND.done) return
    this.saved?.free()
    this.saved = undefined
    let result: number = COMMAND.done
    try {
      if (command === COMMAND.reset) session.reset()
      else if (command === COMMAND.save) this.save()
      else session.restore(JSON.parse(readState(control)))
    } catch {
      result = COMMAND.failed
    }
    Atomics.store(control, CONTROL.command, result)
    Atomics.notify(control, CONTROL.command)
  }

  private save(): void {
    const bytes = Buffer.from(JSON.stringify(this.session.save()))
    this.saved = new NativeBuffer(bytes.length)
    this.saved.bytes.set(bytes)
    writeState(this.control, this.saved)
  }
}

export function writeState(control: Int32Array, { address, length }: NativeBuffer): void {
  Atomics.store(control, CONTROL.stateLow, (address % 2 ** 32) | 0)
  Atomics.store(control, CONTROL.stateHigh, Math.floor(address / 2 ** 32))
  Atomics.store(control, CONTROL.stateBytes, length)
}

export function readState(control: Int32Array): string {
  const low = Atomics.load(control, CONTROL.stateLow) >>> 0
  const address = Atomics.load(control, CONTROL.stateHigh) * 2 ** 32 + low
  return Buffer.from(viewOf(address, Atomics.load(control, CONTROL.stateBytes))).toString()
}
