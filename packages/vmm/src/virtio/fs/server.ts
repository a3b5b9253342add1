import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { EventLoop } from '../../io/event-loop.ts'
import { MESSAGE_BYTES, Message } from './message.ts'
import type { Session } from './session.ts'

/** Requests that are under way at once; more wait in the guest's rings. */
export const MAX_MESSAGES = 32

export interface FsListener {
  /** Message `index` is answered. May be called before `submit` returns. */
  answered(index: number): void
  /** Several may just have been answered outside a call of the device's: time for one interrupt. */
  batchEnded(): void
}

/** Who answers the requests of a shared folder's device: the session, on whatever thread it has. */
export interface FsServer {
  /** A message is the device's to fill until `submit`, and again from `answered` on. */
  readonly messages: readonly Message[]
  start(loop: EventLoop, listener: FsListener): void
  submit(index: number): void
  /** Waits for everything under way and tells the listener. */
  finish(): void
  /** Waits for everything under way without telling anybody; then the guest's open files are closed. */
  reset(): void
  save(): VirtioDeviceState<'fs'>
  restore(state: VirtioDeviceState<'fs'>): void
  close(): void
}

/** Messages over memory of their own. */
export const messagesOver = (memory: ArrayBuffer): Message[] =>
  Array.from({ length: MAX_MESSAGES }, (_, i) => new Message(memory, i * MESSAGE_BYTES))

export const MESSAGES_BYTES = MAX_MESSAGES * MESSAGE_BYTES

/** Answers on the thread that asks, which waits for the file system: for tests, and where nothing else waits. */
export class InlineServer implements FsServer {
  readonly messages = messagesOver(new ArrayBuffer(MESSAGES_BYTES))
  private readonly session: Session
  private listener: FsListener | undefined

  constructor(session: Session) {
    this.session = session
  }

  start(_loop: EventLoop, listener: FsListener): void {
    this.listener = listener
  }

  submit(index: number): void {
    this.session.serve(this.messages[index]!)
    this.listener?.answered(index)
  }

  finish(): void {}

  reset(): void {
    this.session.reset()
  }

  save(): VirtioDeviceState<'fs'> {
    return this.session.save()
  }

  restore(state: VirtioDeviceState<'fs'>): void {
    this.session.restore(state)
  }

  close(): void {
    this.reset()
  }
}
