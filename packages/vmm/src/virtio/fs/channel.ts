/**
 * What the thread of a shared folder and the one that owns its device have between them: the messages, one control word
 * for each, and a command. Plain data, so that both can have it.
 */
import { check, EFD, eventfdCreate } from '../../sys/libc.ts'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { MAX_MESSAGES, MESSAGES_BYTES } from './server.ts'

export interface FsChannel {
  readonly control: SharedArrayBuffer
  /** Of `MESSAGES_BYTES`, mapped in this process for as long as it lives. */
  readonly messagesAddress: number
  /** eventfd that is written after an answer. */
  readonly answeredFd: number
}

/** Words of `control`; from `states` on one for each message. */
export const CONTROL = {
  /** Grows with everything the device's thread asks: the folder's thread waits for it. */
  asked: 0,
  /** Grows with every answer. */
  answered: 1,
  command: 2,
  /** Where a state is that `save` made or `restore` takes, in two halves, and how many bytes of JSON it has. */
  stateLow: 3,
  stateHigh: 4,
  stateBytes: 5,
  states: 16,
} as const
export const STATE = { free: 0, asked: 1, answered: 2 } as const
/** `done` is the thread's own answer, `failed` that it could not. */
export const COMMAND = { none: 0, reset: 1, save: 2, restore: 3, done: 4, failed: 5 } as const

export function createChannel(): FsChannel {
  return {
    control: new SharedArrayBuffer((CONTROL.states + MAX_MESSAGES) * 4),
    messagesAddress: new NativeBuffer(MESSAGES_BYTES).address,
    answeredFd: check('eventfd', eventfdCreate(0, EFD.CLOEXEC | EFD.NONBLOCK)),
  }
}
