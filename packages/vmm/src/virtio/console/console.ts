/**
 * VIRTIO 1.2, section 5.3, with several ports: named channels between programs of the guest and the host, which is how a
 * guest agent talks. Port 0, the one a driver without MULTIPORT knows, leads nowhere; the console itself is a 16550.
 */
import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { DescriptorChain } from '../chain.ts'
import { DEVICE_ID } from '../constants.ts'
import type { VirtioContext, VirtioDevice } from '../device.ts'
import { DeviceConfig } from '../device-config.ts'
import { ConsolePort } from './port.ts'
import type { PortEnd } from './port-end.ts'
import {
  CONFIG,
  CONSOLE_F_MULTIPORT,
  CONTROL_BYTES,
  CONTROL_RX,
  CONTROL_TX,
  EVENT,
  portOf,
  rxQueue,
  txQueue,
} from './protocol.ts'

const QUEUE_SIZE = 64
/** Control messages the driver has no buffer for yet; one that asks for more and takes none is broken. */
const MAX_OUTBOX = 64

export interface PortOptions {
  /** `org.qemu.guest_agent.0`, …: where the guest finds it under /dev/virtio-ports. */
  readonly name: string
  readonly end: PortEnd
}

interface ControlMessage {
  readonly port: number
  readonly event: number
  readonly value: number
  readonly text?: string
}

export class ConsoleDevice implements VirtioDevice {
  readonly name = 'console'
  readonly deviceId = DEVICE_ID.CONSOLE
  readonly queueSizes: readonly number[]
  readonly features = CONSOLE_F_MULTIPORT
  readonly config = new DeviceConfig(CONFIG.LENGTH)
  private readonly ports: readonly ConsolePort[]
  private readonly outbox: ControlMessage[] = []
  private context: VirtioContext | undefined
  /** The driver is ready for control messages. */
  private ready = false
  private lost = 0

  constructor(ports: readonly PortOptions[]) {
    this.queueSizes = new Array(4 + 2 * ports.length).fill(QUEUE_SIZE)
    this.config.view.setUint32(CONFIG.MAX_NR_PORTS, ports.length + 1, true)
    this.ports = ports.map(
      ({ name, end }, i) =>
        new ConsolePort(i + 1, name, end, (port, open) =>
          this.tell({ port: port.id, event: EVENT.PORT_OPEN, value: open ? 1 : 0 }),
        ),
    )
  }

  get counters(): Readonly<Record<string, number>> {
    const sum = (key: 'rxBytes' | 'txBytes'): number =>
      this.ports.reduce((total, port) => total + port.counters[key], 0)
    return { rxBytes: sum('rxBytes'), txBytes: sum('txBytes'), lostBytes: this.lost }
  }

  activate(context: VirtioContext): void {
    this.context = context
    if ((context.features & CONSOLE_F_MULTIPORT) === 0n) return
    for (const port of this.ports) port.start(context)
  }

  notify(index: number): void {
    if (index === CONTROL_TX) this.takeControl()
    else if (index === CONTROL_RX) this.sendControl()
    else if (portOf(index) === 0) this.discard(index)
    else {
      const port = this.ports[portOf(index) - 1]
      if (index === txQueue(portOf(index))) port?.transmit()
      else port?.receive()
    }
  }

  save(): VirtioDeviceState<'console'> {
    for (const port of this.ports) port.giveBack()
    return { ready: this.ready, guestOpen: this.ports.map((port) => port.guestOpen) }
  }

  restore({ ready, guestOpen }: VirtioDeviceState<'console'>): void {
    this.ready = ready
    for (const [i, port] of this.ports.entries()) port.setGuestOpen(guestOpen[i] ?? false)
    // Who was at a socket of the host is not there any more; a part of the monitor is.
    if (!ready) return
    for (const { id, hostOpen } of this.ports)
      this.tell({ port: id, event: EVENT.PORT_OPEN, value: hostOpen ? 1 : 0 })
  }

  reset(): void {
    for (const port of this.ports) port.stop()
    this.context = undefined
    this.ready = false
    this.outbox.length = 0
  }

  close(): void {
    this.reset()
  }

  private tell(message: ControlMessage): void {
    if (!this.ready) return
    if (this.outbox.length === MAX_OUTBOX) {
      this.context?.fail('the driver takes no control messages')
      return
    }
    this.outbox.push(message)
    this.sendControl()
  }

  private sendControl(): void {
    const { context, outbox } = this
    const queue = context?.queues[CONTROL_RX]
    if (context === undefined || queue === undefined) return
    let sent = 0
    for (let message = outbox[0]; message !== undefined; message = outbox[0]) {
      const chain = queue.pop()
      if (chain === null) break
      const bytes = encode(message)
      if (chain.writableBytes < bytes.length) {
        queue.undo(chain)
        context.fail('a buffer for control messages is too short')
        return
      }
      chain.write(0, bytes)
      queue.push(chain, bytes.length)
      outbox.shift()
      sent++
    }
    if (sent > 0) context.interrupt(CONTROL_RX)
    if (outbox.length > 0 && queue.enableNotify()) context.loop.after(0, () => this.sendControl())
  }

  private takeControl(): void {
    const { context } = this
    const queue = context?.queues[CONTROL_TX]
    if (context === undefined || queue === undefined) return
    for (let left = QUEUE_SIZE; left > 0; left--) {
      const chain = queue.pop()
      if (chain === null) break
      if (chain.readableBytes < CONTROL_BYTES) {
        queue.push(chain, 0)
        context.fail('a control message is too short')
        return
      }
      this.control(chain)
      queue.push(chain, 0)
    }
    context.interrupt(CONTROL_TX)
    if (queue.enableNotify()) context.loop.after(0, () => this.takeControl())
  }

  private control(chain: DescriptorChain): void {
    const id = chain.readU32(0)
    const word = chain.readU32(4)
    const [event, value] = [word & 0xffff, word >>> 16]
    if (event === EVENT.DEVICE_READY) {
      this.ready = value === 1
      for (const port of this.ports) this.tell({ port: port.id, event: EVENT.DEVICE_ADD, value: 1 })
      return
    }
    const port = this.ports[id - 1]
    // A port the driver made up, or could not set up: there is nothing to do for it.
    if (port === undefined) return
    if (event === EVENT.PORT_OPEN) port.setGuestOpen(value === 1)
    else if (event === EVENT.PORT_READY && value === 1) {
      this.tell({ port: id, event: EVENT.PORT_NAME, value: 1, text: port.name })
      if (port.hostOpen) this.tell({ port: id, event: EVENT.PORT_OPEN, value: 1 })
    }
  }

  /** Port 0: what is sent there is taken and forgotten. */
  private discard(index: number): void {
    const { context } = this
    const queue = context?.queues[index]
    if (context === undefined || queue === undefined || index === rxQueue(0)) return
    for (let left = QUEUE_SIZE; left > 0; left--) {
      const chain = queue.pop()
      if (chain === null) break
      this.lost += chain.readableBytes
      queue.push(chain, 0)
    }
    context.interrupt(index)
    if (queue.enableNotify()) context.loop.after(0, () => this.discard(index))
  }
}

function encode({ port, event, value, text = '' }: ControlMessage): Uint8Array {
  const name = new TextEncoder().encode(text)
  const bytes = new Uint8Array(CONTROL_BYTES + name.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, port, true)
  view.setUint16(4, event, true)
  view.setUint16(6, value, true)
  bytes.set(name, CONTROL_BYTES)
  return bytes
}
