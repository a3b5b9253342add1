/**
 * QEMU's ramfb: firmware puts a frame buffer into RAM and writes where it is to the file `etc/ramfb` (qemu
 * docs/specs/fw_cfg.rst; struct RAMFBCfg). The BIOS's own text screen and what boot loaders draw with it are seen so.
 */
import type { EarlyScreen } from '../display/frame-buffer.ts'
import { MAX_HEIGHT, MAX_WIDTH } from '../display/tiles.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import type { FwCfg } from './fw-cfg.ts'
import type { SavedPart } from './plug.ts'

/** Big endian: address (u64), fourcc, flags, width, height, stride in bytes. */
const CONFIG_BYTES = 28
/** DRM_FORMAT_XRGB8888, "XR24". */
const XRGB8888 = 0x3432_5258

export class Ramfb implements SavedPart {
  private readonly config = new Uint8Array(CONFIG_BYTES)
  private readonly memory: GuestMemory
  private readonly screen: EarlyScreen

  constructor(memory: GuestMemory, screen: EarlyScreen) {
    this.memory = memory
    this.screen = screen
  }

  plug(files: FwCfg): void {
    files.addFile('etc/ramfb', this.config, () => this.configured())
  }

  save(): { config: string } {
    return { config: Buffer.from(this.config).toString('base64') }
  }

  restore({ config }: { config: string }): void {
    this.config.set(Buffer.from(config, 'base64'))
    this.configured()
  }

  /** What is no picture in RAM shows nothing: the guest is as free to write nonsense here as anywhere. */
  private configured(): void {
    const view = new DataView(this.config.buffer)
    const address = view.getUint32(0) * 2 ** 32 + view.getUint32(4)
    const [fourcc, width, height] = [view.getUint32(8), view.getUint32(16), view.getUint32(20)]
    const stride = view.getUint32(24) || width * 4
    const bytes = stride * height
    const right =
      fourcc === XRGB8888 &&
      width > 0 &&
      height > 0 &&
      width <= MAX_WIDTH &&
      height <= MAX_HEIGHT &&
      stride >= width * 4 &&
      this.memory.contiguous(address, bytes) === bytes
    this.screen.set(right ? { width, height, stride, bytes: this.memory.bytes(address, bytes) } : undefined)
  }
}
