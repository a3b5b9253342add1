/** The virtio devices of a machine that has them over MMIO, one behind the other. */
import type { DevicesState } from '@hearth/shared/vm-snapshot'
import { mmioPlace } from '../machine/layout.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import type { VirtioDevice } from '../virtio/device.ts'
import { VirtioMmioDevice } from '../virtio/mmio-transport.ts'
import type { VirtioTransport } from '../virtio/transport.ts'
import type { Platform } from './platform.ts'

export class MmioBus {
  private readonly devices: VirtioMmioDevice[] = []
  private readonly platform: Platform
  private readonly memory: GuestMemory
  private readonly log: (text: string) => void

  constructor(platform: Platform, memory: GuestMemory, log: (text: string) => void) {
    this.platform = platform
    this.memory = memory
    this.log = log
  }

  get count(): number {
    return this.devices.length
  }

  plug(device: VirtioDevice): VirtioTransport {
    const { platform, memory, log } = this
    const place = mmioPlace(this.devices.length)
    const plugged = new VirtioMmioDevice(device, { platform, memory, log, ...place })
    this.devices.push(plugged)
    return plugged.transport
  }

  save(): NonNullable<DevicesState['mmio']> {
    return this.devices.map((device) => device.save())
  }

  /** Throws with a line for people when other devices were saved. */
  restore(state: NonNullable<DevicesState['mmio']>): void {
    if (state.length !== this.devices.length) {
      throw new Error(
        `there were ${state.length} devices over MMIO when the snapshot was made and are ${this.devices.length} now: give the VM the same devices`,
      )
    }
    for (const [i, device] of this.devices.entries()) device.restore(state[i]!)
  }

  resumed(): void {
    for (const { transport } of this.devices) transport.resumed()
  }

  close(): void {
    for (const device of this.devices.splice(0)) device.close()
  }
}
