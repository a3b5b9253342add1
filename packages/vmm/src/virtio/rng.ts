import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import { check, getrandom } from '../sys/libc.ts'
import { DEVICE_ID } from './constants.ts'
import type { VirtioContext, VirtioDevice } from './device.ts'
import { DeviceConfig } from './device-config.ts'

const QUEUE_SIZE = 8
/** What one request gets at most: entropy is for seeds; a guest that asks for more asks again. */
const MAX_BYTES = 4096

/** VIRTIO 1.2, section 5.4: fills the driver's buffers with the host's random numbers. */
export class RngDevice implements VirtioDevice {
  readonly name = 'rng'
  readonly deviceId = DEVICE_ID.ENTROPY
  readonly queueSizes = [QUEUE_SIZE]
  readonly features = 0n
  readonly config = new DeviceConfig(0)
  readonly counters = { requests: 0, bytes: 0 }
  private readonly scratch = new Uint8Array(MAX_BYTES)
  private context: VirtioContext | undefined

  activate(context: VirtioContext): void {
    this.context = context
  }

  notify(_index: number): void {
    const queue = this.context?.queues[0]
    if (queue === undefined) return
    // At most one ring's worth a turn; a driver that offers more meanwhile rings again.
    for (let left = QUEUE_SIZE; left > 0; left--) {
      const chain = queue.pop()
      if (chain === null) break
      // The kernel's own, and fewer where a signal came between (getrandom(2)): a driver takes what it gets.
      const bytes = check('getrandom', getrandom(this.scratch, Math.min(chain.writableBytes, MAX_BYTES), 0))
      const random = this.scratch.subarray(0, bytes)
      chain.write(0, random)
      // Nobody reads them from here again.
      random.fill(0)
      queue.push(chain, bytes)
      this.counters.requests++
      this.counters.bytes += bytes
    }
    this.context?.interrupt(0)
    if (queue.enableNotify()) this.context?.loop.after(0, () => this.notify(0))
  }

  save(): VirtioDeviceState<'rng'> {
    return {}
  }

  reset(): void {
    this.context = undefined
  }

  close(): void {
    this.reset()
  }
}
