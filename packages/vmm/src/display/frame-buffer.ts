/**
 * A picture for whoever has no driver for the GPU yet: a linear frame buffer of 32 bits a pixel. The guest just writes;
 * what it changed is looked for a few times a second, as long as no driver shows anything itself. By comparing, which
 * takes half a millisecond: KVM's dirty log would cost the guest an exit for each page it draws on.
 */
import type { PciFunctionState } from '@hearth/shared/vm-snapshot'
import type { BusDevice } from '../bus/device.ts'
import type { EventLoop, Registration } from '../io/event-loop.ts'
import { EARLY_SCREEN } from '../machine/layout.ts'
import type { Bar } from '../pci/config-space.ts'
import { packBytes, unpackBytes } from '../snapshot/packed-bytes.ts'
import { check, MADV, MAP, madvise, mmap, PROT, viewOf } from '../sys/libc.ts'
import { BochsVbe } from './bochs-vbe.ts'
import { SURFACE_STRIDE, type Surface } from './surface.ts'

/** Milliseconds between two looks: when something changed lately, and after a while of nothing. */
const BUSY_MS = 100
const IDLE_MS = 250
const IDLE_AFTER = 30

/** Memory of the host for it; untouched it costs nothing. By the main thread, as a jailed process maps none later. */
export function allocateFrameBuffer(): number {
  const flags = MAP.SHARED | MAP.ANONYMOUS | MAP.NORESERVE
  return check('mmap', mmap(0, EARLY_SCREEN.bytes, PROT.READ | PROT.WRITE, flags, -1, 0))
}

/** Where pixels come from. Rows are `stride` bytes apart. */
export interface EarlyPicture {
  readonly width: number
  readonly height: number
  readonly stride: number
  readonly bytes: Uint8Array
}

/** Shows an early picture on a surface until a driver takes it. */
export class EarlyScreen {
  private readonly surface: Surface
  private readonly loop: EventLoop
  private picture: EarlyPicture | undefined
  private taken = false
  private timer: Registration | undefined
  private quiet = 0

  constructor(surface: Surface, loop: EventLoop) {
    this.surface = surface
    this.loop = loop
  }

  /** Whether the surface is this picture's: nobody else may change its size then. */
  get shows(): boolean {
    return !this.taken && this.picture !== undefined
  }

  /** Another picture, or none. */
  set(picture: EarlyPicture | undefined): void {
    this.picture = picture
    if (!this.taken) this.begin()
  }

  /** A driver shows something of its own (true), or is gone (false). */
  take(taken: boolean): void {
    if (this.taken === taken) return
    this.taken = taken
    if (taken) this.stop()
    else this.begin()
  }

  stop(): void {
    this.timer?.remove()
    this.timer = undefined
  }

  /** Takes over what changed; true when something did. */
  look(): boolean {
    const { picture, surface } = this
    if (picture === undefined || this.taken) return false
    const { width, height, stride, bytes } = picture
    let first = -1
    let last = -1
    for (let row = 0; row < height; row++) {
      const from = row * stride
      const shown = new Uint8Array(surface.pixels.buffer, row * SURFACE_STRIDE * 4, width * 4)
      const now = bytes.subarray(from, from + width * 4)
      if (Buffer.compare(now, shown) === 0) continue
      shown.set(now)
      if (first < 0) first = row
      last = row
    }
    if (first < 0) return false
    surface.damage(0, first, width, last - first + 1)
    return true
  }

  private begin(): void {
    this.stop()
    const { picture, surface } = this
    if (picture === undefined) return
    surface.resize(picture.width, picture.height)
    this.look()
    this.quiet = 0
    this.later()
  }

  private later(): void {
    this.timer = this.loop.after(this.quiet > IDLE_AFTER ? IDLE_MS : BUSY_MS, () => {
      this.quiet = this.look() ? 0 : this.quiet + 1
      this.later()
    })
  }
}

/** In a snapshot. */
type SavedFrameBuffer = Pick<PciFunctionState, 'frameBuffer' | 'vbe'>

/** Puts the frame buffer's memory at a guest address, or (undefined) nowhere. */
export type PlaceFrameBuffer = (address: number | undefined) => void

/** Who sets the mode: the machine itself, for a kernel that is told of it, or the guest's firmware by Bochs VBE. */
export type FrameBufferModes = 'fixed' | 'vbe'

/** The frame buffer as memory behind a BAR of the GPU, which makes that a VGA device to a kernel (PCI class 0x0300). */
export class FrameBuffer implements BusDevice {
  readonly name = 'frame-buffer'
  readonly bars: readonly Bar[]
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly screen: EarlyScreen
  private readonly vbe: BochsVbe | undefined
  private placed = false

  constructor(
    hostAddress: number,
    screen: EarlyScreen,
    place: PlaceFrameBuffer,
    modes: FrameBufferModes = 'fixed',
  ) {
    const memory = viewOf(hostAddress, EARLY_SCREEN.bytes)
    this.bytes = new Uint8Array(memory)
    this.view = new DataView(memory)
    this.screen = screen
    // What the machine before this one drew.
    const clear = (): unknown => check('madvise', madvise(hostAddress, EARLY_SCREEN.bytes, MADV.REMOVE))
    clear()
    this.vbe = modes === 'vbe' ? new BochsVbe(() => this.show(), clear) : undefined
    const pixels: Bar = {
      index: 0,
      kind: 'memory32',
      size: EARLY_SCREEN.bytes,
      at: EARLY_SCREEN.address,
      device: this,
      moved: (to) => {
        place(to)
        this.placed = to !== undefined
        this.show()
      },
    }
    this.bars = this.vbe === undefined ? [pixels] : [pixels, this.vbe.bar]
  }

  private show(): void {
    const { width, height, stride } = EARLY_SCREEN
    const mode = this.vbe === undefined ? { width, height, stride, offset: 0 } : this.vbe.mode
    if (!this.placed || mode === undefined) this.screen.set(undefined)
    else this.screen.set({ ...mode, bytes: this.bytes.subarray(mode.offset) })
  }

  // Only where KVM has not put the memory itself.
  read(offset: number, size: number): number {
    if (size === 1) return this.view.getUint8(offset)
    return size === 2 ? this.view.getUint16(offset, true) : this.view.getUint32(offset, true)
  }

  write(offset: number, size: number, value: number): void {
    if (size === 1) this.view.setUint8(offset, value)
    else if (size === 2) this.view.setUint16(offset, value, true)
    else this.view.setUint32(offset, value, true)
  }

  /** The pixels deflated, in parts. */
  save(): SavedFrameBuffer {
    return { frameBuffer: packBytes(this.bytes), ...(this.vbe && { vbe: this.vbe.save() }) }
  }

  /** Before the guest runs. Throws with a line for people when it is not whole. */
  restore({ frameBuffer, vbe }: SavedFrameBuffer): void {
    if (frameBuffer !== undefined) unpackBytes(frameBuffer, this.bytes)
    if (vbe !== undefined) this.vbe?.restore(vbe)
  }
}
