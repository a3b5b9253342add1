import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { EventLoop, Registration } from '../../io/event-loop.ts'
import { read, viewOf } from '../../sys/libc.ts'
import { NativeBuffer } from '../../sys/native-buffer.ts'
import { COMMAND, CONTROL, type FsChannel, STATE } from './channel.ts'
import type { Message } from './message.ts'
import { readState, writeState } from './serve-channel.ts'
import { type FsListener, type FsServer, MAX_MESSAGES, MESSAGES_BYTES, messagesOver } from './server.ts'

/**
 * The device's end of a folder's thread: neither the guest nor its disks and networks wait for the folder's file
 * system. The thread lives as long as the process; a server is there for one machine.
 */
export class ThreadServer implements FsServer {
  readonly messages: readonly Message[]
  private readonly channel: FsChannel
  private readonly control: Int32Array
  private readonly drained = new BigUint64Array(1)
  private listener: FsListener | undefined
  private registration: Registration | undefined

  constructor(channel: FsChannel) {
    this.channel = channel
    this.control = new Int32Array(channel.control)
    this.messages = messagesOver(viewOf(channel.messagesAddress, MESSAGES_BYTES))
  }

  start(loop: EventLoop, listener: FsListener): void {
    this.listener = listener
    this.registration ??= loop.onReadable(this.channel.answeredFd, () => {
      read(this.channel.answeredFd, this.drained, 8)
      if (this.collect(true)) this.listener?.batchEnded()
    })
  }

  submit(index: number): void {
    Atomics.store(this.control, CONTROL.states + index, STATE.asked)
    this.wake()
  }

  finish(): void {
    this.wait(true)
  }

  reset(): void {
    this.wait(false)
    this.command(COMMAND.reset)
  }

  save(): VirtioDeviceState<'fs'> {
    this.command(COMMAND.save)
    return JSON.parse(readState(this.control)) as VirtioDeviceState<'fs'>
  }

  restore(state: VirtioDeviceState<'fs'>): void {
    const bytes = Buffer.from(JSON.stringify(state))
    const memory = new NativeBuffer(bytes.length)
    try {
      memory.bytes.set(bytes)
      writeState(this.control, memory)
      this.command(COMMAND.restore)
    } finally {
      memory.free()
    }
  }

  close(): void {
    this.reset()
    this.registration?.remove()
    this.registration = undefined
  }

  /** Takes the answers that are there; whether there were any. */
  private collect(tell: boolean): boolean {
    let any = false
    for (let i = 0; i < MAX_MESSAGES; i++) {
      if (Atomics.load(this.control, CONTROL.states + i) !== STATE.answered) continue
      Atomics.store(this.control, CONTROL.states + i, STATE.free)
      any = true
      if (tell) this.listener?.answered(i)
    }
    return any
  }

  private wait(tell: boolean): void {
    for (;;) {
      const answered = Atomics.load(this.control, CONTROL.answered)
      this.collect(tell)
      if (!this.isBusy()) return
      Atomics.wait(this.control, CONTROL.answered, answered)
    }
  }

  private isBusy(): boolean {
    for (let i = 0; i < MAX_MESSAGES; i++) {
      if (Atomics.load(this.control, CONTROL.states + i) !== STATE.free) return true
    }
    return false
  }

  /** With nothing under way. Throws when the thread could not do it. */
  private command(command: number): void {
    const { control } = this
    Atomics.store(control, CONTROL.command, command)
    this.wake()
    Atomics.wait(control, CONTROL.command, command)
    const result = Atomics.exchange(control, CONTROL.command, COMMAND.none)
    if (result !== COMMAND.done) throw new Error('the shared folder could not do that')
  }

  private wake(): void {
    Atomics.add(this.control, CONTROL.asked, 1)
    Atomics.notify(this.control, CONTROL.asked)
  }
}
