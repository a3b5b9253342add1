import { maxScreens } from '@hearth/shared/screens'
import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { EarlyScreen } from '../../display/frame-buffer.ts'
import { Outputs } from '../../display/outputs.ts'
import type { Surface } from '../../display/surface.ts'
import { MAX_HEIGHT, MAX_WIDTH, type Rect } from '../../display/tiles.ts'
import type { DescriptorChain } from '../chain.ts'
import { DEVICE_ID } from '../constants.ts'
import type { VirtioContext, VirtioDevice } from '../device.ts'
import { DeviceConfig } from '../device-config.ts'
import { Backing } from './backing.ts'
import { readCursorRequest, setCursor } from './cursor.ts'
import { createEdid } from './edid.ts'
import {
  CMD,
  CONFIG,
  DISPLAY_INFO_BYTES,
  EDID_RESPONSE_BYTES,
  FORMAT,
  HEADER_BYTES,
  MAX_SCANOUTS,
  REQUEST_BYTES,
  RESP,
  VIRTIO_GPU_BLOB_MEM_GUEST,
  VIRTIO_GPU_EVENT_DISPLAY,
  VIRTIO_GPU_F_EDID,
  VIRTIO_GPU_F_RESOURCE_BLOB,
  VIRTIO_GPU_FLAG_FENCE,
} from './protocol.ts'
import { type BlobDescription, BlobPicture } from './resource.ts'
import { MAX_DIMENSION, Resources } from './resources.ts'
import { Scanout } from './scanout.ts'

const CURSOR_QUEUE = 1
/** The control queue, then the cursor's: what Linux has in flight at most, many times over. */
const QUEUE_SIZES = [256, 16]
/** Host memory for all 2D resources of a VM: three pictures of the largest size, and cursors. */
const DEFAULT_MEMORY_LIMIT = 128 * 1024 * 1024
/** Copying pictures shares its thread with disk and network: after this many ms they get their turn. */
const TURN = 3

export interface GpuOptions {
  readonly surface: Surface
  /** How many scanouts it has, side by side on the surface; absent: one. At most `maxScreens`. */
  readonly screens?: number | undefined
  /** Of each, as long as nobody wishes for another. */
  readonly width: number
  readonly height: number
  /** What the first scanout shows while the driver shows nothing. */
  readonly early?: EarlyScreen | undefined
  /** Bytes of host memory for 2D resources. */
  readonly memoryLimit?: number
}

/** A command that is refused: the response type the specification has for it. */
type Outcome = number

/**
 * VIRTIO 1.2, section 5.7: a 2D GPU. Commands are served in order and at once, so a fence is done when its
 * response is written. A wrong command gets the specification's error and is counted; it harms nothing else.
 */
export class GpuDevice implements VirtioDevice {
  readonly name = 'gpu'
  readonly deviceId = DEVICE_ID.GPU
  readonly queueSizes = QUEUE_SIZES
  readonly features = VIRTIO_GPU_F_EDID | VIRTIO_GPU_F_RESOURCE_BLOB
  readonly config: DeviceConfig
  readonly counters = { commands: 0, refused: 0, flushes: 0, transferredBytes: 0 }
  private readonly scanouts: Scanout[]
  private readonly resources: Resources
  private readonly early: EarlyScreen | undefined
  private context: VirtioContext | undefined
  /** The largest request without entries behind it. */
  private readonly request = new DataView(new ArrayBuffer(96))
  private readonly response = new DataView(new ArrayBuffer(EDID_RESPONSE_BYTES))
  private responseBytes = 0
  private again = false

  constructor(options: GpuOptions) {
    const { surface, screens = 1, width, height } = options
    if (screens < 1 || screens > maxScreens) throw new RangeError(`${screens} screens`)
    const each = Math.min(width, Math.floor(MAX_WIDTH / screens))
    this.scanouts = new Outputs(surface, screens).all.map((output) => new Scanout(output, each, height))
    this.early = options.early
    this.resources = new Resources(options.memoryLimit ?? DEFAULT_MEMORY_LIMIT)
    this.config = new DeviceConfig(CONFIG.BYTES, (offset, size, value) => {
      // 5.7.4: writing events_clear clears bits of events_read; it reads as zero.
      if (offset !== CONFIG.EVENTS_CLEAR || size !== 4) return
      const events = this.config.view.getUint32(CONFIG.EVENTS_READ, true)
      this.config.view.setUint32(CONFIG.EVENTS_READ, events & ~value, true)
    })
    this.config.view.setUint32(CONFIG.NUM_SCANOUTS, this.scanouts.length, true)
  }

  activate(context: VirtioContext): void {
    this.context = context
  }

  notify(index: number): void {
    const { context } = this
    if (context === undefined) return
    this.serve(context, index)
  }

  save(): VirtioDeviceState<'gpu'> {
    return {
      eventsRead: this.config.view.getUint32(CONFIG.EVENTS_READ, true),
      resources: this.resources.save(),
      scanouts: this.scanouts.map((scanout) => scanout.save()),
    }
  }

  restore({ eventsRead, resources, scanouts }: VirtioDeviceState<'gpu'>): void {
    if (scanouts.length !== this.scanouts.length) throw new Error('it had another number of screens')
    this.config.view.setUint32(CONFIG.EVENTS_READ, eventsRead, true)
    this.resources.restore(this.context!.memory, resources)
    for (const [index, saved] of scanouts.entries()) {
      const scanout = this.scanouts[index]!
      scanout.restore(saved)
      const { shown } = saved
      if (shown === undefined) continue
      const { rect, resourceId, blob } = shown
      const outcome =
        blob === undefined
          ? this.setScanout(rect, index, resourceId)
          : this.showBlob(rect, index, resourceId, blob)
      if (outcome !== RESP.OK_NODATA) throw new Error(`screen ${index} showed what cannot be shown`)
      scanout.settle()
    }
  }

  reset(): void {
    this.context = undefined
    for (const scanout of this.scanouts) scanout.disable()
    this.resources.clear()
    this.config.view.setUint32(CONFIG.EVENTS_READ, 0, true)
    this.early?.take(false)
  }

  close(): void {
    this.reset()
    this.early?.stop()
  }

  /** Asks the guest to show another size, shared out among its screens: it hears of changed displays and decides. */
  wish(width: number, height: number): void {
    const share = Math.floor(Math.min(width, MAX_WIDTH) / this.scanouts.length)
    const [wantedWidth, wantedHeight] = [Math.max(share, 320), Math.min(Math.max(height, 200), MAX_HEIGHT)]
    const [first] = this.scanouts
    if (first!.wantedWidth === wantedWidth && first!.wantedHeight === wantedHeight) return
    for (const scanout of this.scanouts) {
      scanout.wantedWidth = wantedWidth
      scanout.wantedHeight = wantedHeight
    }
    if (this.context === undefined) {
      if (this.early?.shows !== true) first!.output.resize(wantedWidth, wantedHeight)
      return
    }
    this.config.view.setUint32(CONFIG.EVENTS_READ, VIRTIO_GPU_EVENT_DISPLAY, true)
    this.context.configChanged()
  }

  private serve(context: VirtioContext, index: number): void {
    const queue = context.queues[index]!
    const deadline = performance.now() + TURN
    do {
      for (let chain = queue.pop(); chain !== null; chain = queue.pop()) {
        const bytes = index === CURSOR_QUEUE ? this.cursor(chain) : this.command(chain, context)
        queue.push(chain, bytes)
        if (performance.now() > deadline) {
          context.interrupt(index)
          this.later(context)
          return
        }
      }
      for (const scanout of this.scanouts) scanout.settle()
    } while (queue.enableNotify())
    context.interrupt(index)
  }

  private later(context: VirtioContext): void {
    if (this.again) return
    this.again = true
    context.loop.after(0, () => {
      this.again = false
      for (const index of QUEUE_SIZES.keys()) if (this.context === context) this.serve(context, index)
    })
  }

  /** Serves one control command; returns how many bytes of response were written. */
  private command(chain: DescriptorChain, context: VirtioContext): number {
    this.counters.commands++
    const { request, response } = this
    const type = this.readRequest(chain)
    this.responseBytes = HEADER_BYTES
    let outcome: Outcome
    if (type === null) outcome = RESP.ERR_UNSPEC
    else if (chain.readableBytes < REQUEST_BYTES[type]!) outcome = RESP.ERR_INVALID_PARAMETER
    else outcome = this.execute(type, chain, context)
    if (outcome >= RESP.ERR_UNSPEC) {
      this.counters.refused++
      this.responseBytes = HEADER_BYTES
    }
    for (let i = 0; i < HEADER_BYTES; i += 4) response.setUint32(i, 0, true)
    response.setUint32(0, outcome, true)
    const flags = request.getUint32(4, true)
    if ((flags & VIRTIO_GPU_FLAG_FENCE) !== 0) {
      // 5.7.6.7: the response carries the fence's flag, id and context.
      response.setUint32(4, VIRTIO_GPU_FLAG_FENCE, true)
      for (const at of [8, 12, 16]) response.setUint32(at, request.getUint32(at, true), true)
    }
    return chain.write(0, new Uint8Array(response.buffer, 0, this.responseBytes))
  }

  /** Copies the request's fixed part, so that what is checked is what is used; null when it is none we know. */
  private readRequest(chain: DescriptorChain): number | null {
    const bytes = new Uint8Array(this.request.buffer)
    bytes.fill(0)
    if (chain.read(0, bytes) < HEADER_BYTES) return null
    const type = this.request.getUint32(0, true)
    return type in REQUEST_BYTES ? type : null
  }

  private u32(offset: number): number {
    return this.request.getUint32(offset, true)
  }

  private u64(offset: number): number {
    return this.u32(offset) + this.u32(offset + 4) * 0x1_0000_0000
  }

  private rect(offset: number): Rect {
    return {
      x: this.u32(offset),
      y: this.u32(offset + 4),
      width: this.u32(offset + 8),
      height: this.u32(offset + 12),
    }
  }

  private execute(type: number, chain: DescriptorChain, context: VirtioContext): Outcome {
    switch (type) {
      case CMD.GET_DISPLAY_INFO:
        return this.getDisplayInfo()
      case CMD.GET_EDID:
        return this.getEdid(this.u32(24))
      case CMD.RESOURCE_CREATE_2D:
        return this.resources.create2d(this.u32(24), this.u32(28), this.u32(32), this.u32(36))
      case CMD.RESOURCE_CREATE_BLOB:
        return this.createBlob(chain, context)
      case CMD.RESOURCE_UNREF:
        return this.unref(this.u32(24))
      case CMD.RESOURCE_ATTACH_BACKING:
        return this.attachBacking(chain, context)
      case CMD.RESOURCE_DETACH_BACKING:
        return this.resources.detach(this.u32(24))
      case CMD.TRANSFER_TO_HOST_2D:
        return this.transfer(this.rect(24), this.u64(40), this.u32(48))
      case CMD.SET_SCANOUT:
        return this.setScanout(this.rect(24), this.u32(40), this.u32(44))
      case CMD.SET_SCANOUT_BLOB:
        return this.setScanoutBlob()
      case CMD.RESOURCE_FLUSH:
        return this.flush(this.rect(24), this.u32(40))
      default:
        // Cursor commands belong on the other queue.
        return RESP.ERR_UNSPEC
    }
  }

  /** 5.7.6.8: all sixteen, whatever num_scanouts says. */
  private getDisplayInfo(): Outcome {
    const { response } = this
    for (let i = 0; i < MAX_SCANOUTS; i++) {
      const at = HEADER_BYTES + i * 24
      const scanout = this.scanouts[i]
      response.setUint32(at, scanout === undefined ? 0 : i * scanout.wantedWidth, true)
      response.setUint32(at + 4, 0, true)
      response.setUint32(at + 8, scanout?.wantedWidth ?? 0, true)
      response.setUint32(at + 12, scanout?.wantedHeight ?? 0, true)
      response.setUint32(at + 16, scanout === undefined ? 0 : 1, true)
      response.setUint32(at + 20, 0, true)
    }
    this.responseBytes = DISPLAY_INFO_BYTES
    return RESP.OK_DISPLAY_INFO
  }

  private getEdid(index: number): Outcome {
    const scanout = this.scanouts[index]
    if (scanout === undefined) return RESP.ERR_INVALID_SCANOUT_ID
    const edid = createEdid(scanout.wantedWidth, scanout.wantedHeight, index + 1)
    const bytes = new Uint8Array(this.response.buffer)
    bytes.fill(0)
    this.response.setUint32(HEADER_BYTES, edid.length, true)
    bytes.set(edid, HEADER_BYTES + 8)
    this.responseBytes = EDID_RESPONSE_BYTES
    return RESP.OK_EDID
  }

  private createBlob(chain: DescriptorChain, context: VirtioContext): Outcome {
    if ((context.features & VIRTIO_GPU_F_RESOURCE_BLOB) === 0n) return RESP.ERR_UNSPEC
    const id = this.u32(24)
    if (this.u32(28) !== VIRTIO_GPU_BLOB_MEM_GUEST) return RESP.ERR_INVALID_PARAMETER
    const entries = this.u32(36)
    let backing: Backing | null = null
    if (entries > 0) {
      backing = Backing.read(context.memory, chain, REQUEST_BYTES[CMD.RESOURCE_CREATE_BLOB]!, entries)
      if (backing === null) return RESP.ERR_INVALID_PARAMETER
    }
    return this.resources.createBlob(id, this.u64(48), backing)
  }

  private unref(id: number): Outcome {
    for (const scanout of this.scanouts) if (scanout.resourceId === id) scanout.disable()
    return this.resources.unref(id)
  }

  private attachBacking(chain: DescriptorChain, context: VirtioContext): Outcome {
    const id = this.u32(24)
    // A list is only read for a resource that can take one.
    const resource = this.resources.get(id)
    if (resource === undefined) return RESP.ERR_INVALID_RESOURCE_ID
    if (resource.backing !== null) return RESP.ERR_UNSPEC
    const entries = this.u32(28)
    if (entries === 0) return RESP.ERR_INVALID_PARAMETER
    const at = REQUEST_BYTES[CMD.RESOURCE_ATTACH_BACKING]!
    const backing = Backing.read(context.memory, chain, at, entries)
    return backing === null ? RESP.ERR_INVALID_PARAMETER : this.resources.attach(id, backing)
  }

  private transfer(rect: Rect, offset: number, id: number): Outcome {
    const resource = this.resources.get(id)
    if (resource === undefined) return RESP.ERR_INVALID_RESOURCE_ID
    // A blob has nothing to transfer; Linux 6.1 asks for it all the same before it flushes one.
    if (resource.kind === 'blob') return RESP.OK_NODATA
    if (!inside(rect, resource.width, resource.height)) return RESP.ERR_INVALID_PARAMETER
    if (!resource.transfer(rect.x, rect.y, rect.width, rect.height, offset)) {
      return RESP.ERR_INVALID_PARAMETER
    }
    this.counters.transferredBytes += rect.width * rect.height * 4
    return RESP.OK_NODATA
  }

  private setScanout(rect: Rect, index: number, id: number): Outcome {
    const scanout = this.scanouts[index]
    if (scanout === undefined) return RESP.ERR_INVALID_SCANOUT_ID
    if (id === 0) {
      scanout.disable()
      return RESP.OK_NODATA
    }
    const resource = this.resources.get(id)
    if (resource === undefined || resource.kind !== '2d') return RESP.ERR_INVALID_RESOURCE_ID
    if (!inside(rect, resource.width, resource.height) || !Scanout.fits(rect)) {
      return RESP.ERR_INVALID_PARAMETER
    }
    if (index === 0) this.early?.take(true)
    scanout.show(id, resource, rect)
    return RESP.OK_NODATA
  }

  private setScanoutBlob(): Outcome {
    const index = this.u32(40)
    const scanout = this.scanouts[index]
    if (scanout === undefined) return RESP.ERR_INVALID_SCANOUT_ID
    const id = this.u32(44)
    if (id === 0) {
      scanout.disable()
      return RESP.OK_NODATA
    }
    return this.showBlob(this.rect(24), index, id, {
      width: this.u32(48),
      height: this.u32(52),
      format: this.u32(56),
      stride: this.u32(64),
      offset: this.u32(80),
    })
  }

  private showBlob(rect: Rect, index: number, id: number, picture: BlobDescription): Outcome {
    const blob = this.resources.get(id)
    if (blob === undefined || blob.kind !== 'blob') return RESP.ERR_INVALID_RESOURCE_ID
    const { format, width, height, stride, offset } = picture
    if (FORMAT[format] === undefined || !inside(rect, width, height) || !Scanout.fits(rect)) {
      return RESP.ERR_INVALID_PARAMETER
    }
    if (width > MAX_DIMENSION || height > MAX_DIMENSION || stride < width * 4) {
      return RESP.ERR_INVALID_PARAMETER
    }
    if (offset + stride * (height - 1) + width * 4 > blob.size) return RESP.ERR_INVALID_PARAMETER
    if (index === 0) this.early?.take(true)
    this.scanouts[index]!.show(id, new BlobPicture(blob, picture), rect)
    return RESP.OK_NODATA
  }

  private flush(rect: Rect, id: number): Outcome {
    const resource = this.resources.get(id)
    if (resource === undefined) return RESP.ERR_INVALID_RESOURCE_ID
    const [width, height] =
      resource.kind === '2d' ? [resource.width, resource.height] : [MAX_DIMENSION, MAX_DIMENSION]
    if (!inside(rect, width, height)) return RESP.ERR_INVALID_PARAMETER
    this.counters.flushes++
    for (const scanout of this.scanouts) if (scanout.resourceId === id) scanout.flush(rect)
    return RESP.OK_NODATA
  }

  /** 5.7.6.10: a command of the cursor queue has no response. */
  private cursor(chain: DescriptorChain): number {
    this.counters.commands++
    const type = this.readRequest(chain)
    const known = type === CMD.UPDATE_CURSOR || type === CMD.MOVE_CURSOR
    const complete = known && chain.readableBytes >= REQUEST_BYTES[type]!
    const scanout = this.scanouts[this.u32(24)]
    const done =
      complete &&
      scanout !== undefined &&
      setCursor(scanout.output, readCursorRequest(this.request), type === CMD.UPDATE_CURSOR, this.resources)
    if (!done) this.counters.refused++
    return 0
  }
}

/** Whether a rectangle is one and lies in width × height. Sums of two u32 are exact. */
function inside(rect: Rect, width: number, height: number): boolean {
  return rect.width > 0 && rect.height > 0 && rect.x + rect.width <= width && rect.y + rect.height <= height
}
