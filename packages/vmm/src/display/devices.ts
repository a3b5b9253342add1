import type { EventLoop, Registration } from '../io/event-loop.ts'
import { EARLY_SCREEN } from '../machine/layout.ts'
import { read } from '../sys/libc.ts'
import type { SinceNow } from '../vcpu/idleness.ts'
import { AgentPort } from '../vdagent/agent-port.ts'
import { AgentChannel } from '../vdagent/channel.ts'
import type { VirtioDevice } from '../virtio/device.ts'
import { GpuDevice } from '../virtio/gpu/gpu.ts'
import { type EarlyKeyboard, Keyboard } from '../virtio/input/keyboard.ts'
import { Tablet } from '../virtio/input/tablet.ts'
import { EarlyScreen, FrameBuffer, type FrameBufferModes, type PlaceFrameBuffer } from './frame-buffer.ts'
import type { DisplayHandle } from './handle.ts'
import { InputRing } from './input-ring.ts'
import { Surface } from './surface.ts'

/** The size asked for before any viewer has a wish: that of the picture before the driver. */
const INITIAL = { width: EARLY_SCREEN.width, height: EARLY_SCREEN.height } as const

/** What the machine has for a display. */
export interface DisplayMachine {
  /** Absent: its firmware draws elsewhere. */
  readonly frameBuffer?: { readonly place: PlaceFrameBuffer; readonly modes: FrameBufferModes } | undefined
  /** Who reads keys before the guest's driver does. */
  readonly earlyKeyboard?: EarlyKeyboard | undefined
  readonly idleSince?: SinceNow | undefined
}

/** A display's devices on the thread that owns them, fed by what viewers do. */
export class DisplayDevices {
  readonly gpu: GpuDevice
  /** What the screen shows before the guest's driver does. */
  readonly early: EarlyScreen
  /** In the GPU's BAR. */
  readonly frameBuffer: FrameBuffer | undefined
  readonly keyboard: Keyboard
  readonly tablet = new Tablet()
  /** The host's end of the guest's agent port, for the console device. */
  readonly agentPort: AgentPort
  private readonly surface: Surface
  private readonly ring: InputRing
  private readonly registration: Registration

  constructor(handle: DisplayHandle, loop: EventLoop, machine: DisplayMachine = {}) {
    const { frameBuffer, earlyKeyboard, idleSince } = machine
    this.surface = new Surface(handle.surface)
    this.ring = new InputRing(handle.input)
    this.agentPort = new AgentPort(new AgentChannel(handle.agent))
    this.early = new EarlyScreen(this.surface, loop)
    this.frameBuffer =
      frameBuffer && new FrameBuffer(handle.frameBuffer, this.early, frameBuffer.place, frameBuffer.modes)
    this.gpu = new GpuDevice({
      ...{ surface: this.surface, screens: handle.screens, early: this.early },
      ...INITIAL,
    })
    // A guest that restarts has the size that its viewers' windows have: they do not say it again.
    const { lastWish } = this.surface
    if (lastWish !== null) this.gpu.wish(lastWish.width, lastWish.height)
    this.surface.setLeds(0)
    const ledsChanged = (leds: number): void => this.surface.setLeds(leds)
    this.keyboard = new Keyboard(handle.layout, ledsChanged, earlyKeyboard, idleSince)
    // What was typed at a machine that is gone is nobody's.
    this.ring.drain({ key() {}, keysym() {}, pointer() {}, wheel() {}, releaseAll() {} })
    const count = new BigUint64Array(1)
    this.registration = loop.onReadable(handle.wakeFd, () => {
      read(handle.wakeFd, count, 8)
      this.takeInput()
      this.agentPort.woken()
    })
  }

  /** In the order they are plugged. */
  get all(): readonly VirtioDevice[] {
    return [this.gpu, this.keyboard.device, this.tablet.device]
  }

  close(): void {
    this.registration.remove()
  }

  private takeInput(): void {
    const { keyboard, tablet } = this
    this.ring.drain({
      key: (scancode, down) => keyboard.scancode(scancode, down),
      keysym: (keysym, down) => keyboard.keysym(keysym, down),
      pointer: (x, y, buttons) => tablet.move(x, y, buttons),
      wheel: (vertical, horizontal) => tablet.wheel(vertical, horizontal),
      releaseAll: () => {
        keyboard.releaseAll()
        tablet.releaseAll()
      },
    })
    const wish = this.surface.takeWish()
    if (wish !== null) this.gpu.wish(wish.width, wish.height)
  }
}
