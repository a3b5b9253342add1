/**
 * The bytes of a device's configuration structure (VIRTIO 1.2, section 2.5): little endian, read-only for the
 * driver unless `written` is given. The device fills `view`.
 */
export class DeviceConfig {
  readonly length: number
  readonly view: DataView
  private readonly written: ((offset: number, size: number, value: number) => void) | undefined

  constructor(length: number, written?: (offset: number, size: number, value: number) => void) {
    this.length = length
    this.view = new DataView(new ArrayBuffer(length))
    this.written = written
  }

  read(offset: number, size: number): number {
    let value = 0
    for (let i = size - 1; i >= 0; i--) {
      value = value * 256 + (offset + i < this.length ? this.view.getUint8(offset + i) : 0)
    }
    return value
  }

  write(offset: number, size: number, value: number): void {
    this.written?.(offset, size, value)
  }

  setU64(offset: number, value: number): void {
    this.view.setUint32(offset, value % 0x1_0000_0000, true)
    this.view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true)
  }
}
