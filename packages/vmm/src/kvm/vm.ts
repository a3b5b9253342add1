/** One virtual machine as KVM sees it: memory slots, in-kernel interrupt chips, vCPUs. */
import { IOAPIC_PINS, KVM_IDENTITY_MAP, KVM_TSS } from '../machine/layout.ts'
import { PAGE } from '../memory/dirty-pages.ts'
import type { GuestRegion } from '../memory/guest-memory.ts'
import { hostRefused } from '../sys/exit-error.ts'
import { check, close, errno, ioctl, ioctlInt, O, open } from '../sys/libc.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'
import {
  KVM_API_VERSION,
  KVM_CAP,
  KVM_CHECK_EXTENSION,
  KVM_CREATE_IRQCHIP,
  KVM_CREATE_PIT2,
  KVM_CREATE_VCPU,
  KVM_CREATE_VM,
  KVM_GET_API_VERSION,
  KVM_GET_DIRTY_LOG,
  KVM_GET_VCPU_MMAP_SIZE,
  KVM_IRQ_LINE,
  KVM_IRQFD,
  KVM_IRQFD_FLAG_DEASSIGN,
  KVM_MEM_LOG_DIRTY_PAGES,
  KVM_MEM_READONLY,
  KVM_PIT_SPEAKER_DUMMY,
  KVM_REINJECT_CONTROL,
  KVM_SET_IDENTITY_MAP_ADDR,
  KVM_SET_TSS_ADDR,
  KVM_SET_USER_MEMORY_REGION,
  SIZE,
} from './api.ts'
import { type CpuidEntry, readSupportedCpuid } from './cpuid.ts'
import { Vcpu } from './vcpu.ts'

const EINTR = 4
const ENOENT = 2
const EACCES = 13
const EPERM = 1
/** Far above those of RAM, which has one slot for each 4 GiB. */
const FIRST_ROM_SLOT = 480
const FRAME_BUFFER_SLOT = 490

/** /dev/kvm, checked to offer what this monitor needs. */
export class Kvm {
  readonly fd: number
  readonly vcpuMmapSize: number
  readonly maxVcpus: number

  private constructor(fd: number) {
    this.fd = fd
    this.vcpuMmapSize = check('KVM_GET_VCPU_MMAP_SIZE', ioctlInt(fd, KVM_GET_VCPU_MMAP_SIZE, 0))
    this.maxVcpus = Math.max(this.extension(KVM_CAP.MAX_VCPUS), this.extension(KVM_CAP.NR_VCPUS), 1)
  }

  /** Opens the device; every refusal is an ExitError with code 2 that says what to do. */
  static open(path = '/dev/kvm'): Kvm {
    const fd = open(path, O.RDWR | O.CLOEXEC, 0)
    if (fd < 0) throw openRefusal(path, errno())
    const version = ioctlInt(fd, KVM_GET_API_VERSION, 0)
    if (version !== KVM_API_VERSION) {
      close(fd)
      throw hostRefused(
        `${path} is not a KVM device this program can use (API version ${version}, needs ${KVM_API_VERSION})`,
      )
    }
    for (const name of [
      'IRQCHIP',
      'USER_MEMORY',
      'IRQ_ROUTING',
      'IRQFD',
      'PIT2',
      'IOEVENTFD',
      'IMMEDIATE_EXIT',
    ] as const) {
      if (ioctlInt(fd, KVM_CHECK_EXTENSION, KVM_CAP[name]) <= 0) {
        close(fd)
        throw hostRefused(`this host's KVM lacks KVM_CAP_${name}: use Linux 4.12 or newer on x86-64`)
      }
    }
    return new Kvm(fd)
  }

  extension(capability: number): number {
    return ioctlInt(this.fd, KVM_CHECK_EXTENSION, capability)
  }

  supportedCpuid(): CpuidEntry[] {
    return readSupportedCpuid(this.fd)
  }

  createVm(): Vm {
    let fd: number
    // It gives up when the thread is wanted elsewhere first (a signal, io_uring); QEMU asks again as well.
    do fd = ioctlInt(this.fd, KVM_CREATE_VM, 0)
    while (fd < 0 && errno() === EINTR)
    if (fd < 0) {
      throw hostRefused(
        `KVM refuses a new virtual machine (errno ${errno()}): see whether virtualisation is switched on in the firmware and no other hypervisor holds it`,
      )
    }
    return new Vm(fd, this.vcpuMmapSize)
  }

  close(): void {
    close(this.fd)
  }
}

function openRefusal(path: string, code: number): Error {
  if (code === ENOENT)
    return hostRefused(
      `${path} is not there: switch virtualisation (AMD-V or VT-x) on in the firmware and load the kvm-amd or kvm-intel module`,
    )
  if (code === EACCES || code === EPERM)
    return hostRefused(
      `no permission to open ${path}: add this user to the group that owns it (usually "kvm") or run as root`,
    )
  return hostRefused(`${path} does not open (errno ${code})`)
}

export class Vm {
  readonly fd: number
  private readonly vcpuMmapSize: number

  constructor(fd: number, vcpuMmapSize: number) {
    this.fd = fd
    this.vcpuMmapSize = vcpuMmapSize
  }

  /** PIC, IOAPIC, a LAPIC per vCPU and the PIT, all in the kernel. Before the first vCPU. */
  createInterruptChips(): void {
    check('KVM_SET_TSS_ADDR', ioctlInt(this.fd, KVM_SET_TSS_ADDR, KVM_TSS))
    const identityMap = new DataView(new ArrayBuffer(8))
    identityMap.setUint32(0, KVM_IDENTITY_MAP, true)
    check('KVM_SET_IDENTITY_MAP_ADDR', ioctl(this.fd, KVM_SET_IDENTITY_MAP_ADDR, identityMap))
    check('KVM_CREATE_IRQCHIP', ioctlInt(this.fd, KVM_CREATE_IRQCHIP, 0))
    const pit = new DataView(new ArrayBuffer(SIZE.pitConfig))
    // Port 0x61 too, or every boot would probe the speaker gate through this process.
    pit.setUint32(0, KVM_PIT_SPEAKER_DUMMY, true)
    check('KVM_CREATE_PIT2', ioctl(this.fd, KVM_CREATE_PIT2, pit))
  }

  /**
   * Ticks of the PIT that the guest was too slow for are lost instead of made up for (api.rst 4.63). Firmware counts
   * no ticks, and a queue of them would keep it in its timer's handler.
   */
  loseLateTicks(): void {
    const request = new DataView(new ArrayBuffer(SIZE.reinjectControl))
    check('KVM_REINJECT_CONTROL', ioctl(this.fd, KVM_REINJECT_CONTROL, request))
  }

  setMemory(regions: readonly GuestRegion[]): void {
    for (const [slot, region] of regions.entries()) this.setSlot(slot, region, 0)
  }

  /**
   * Memory the guest reads and executes but whose writes leave it as MMIO (api.rst 4.35, KVM_MEM_READONLY).
   * `index` counts such places; one that is not `present` leaves its reads to MMIO as well.
   */
  setRom(index: number, region: GuestRegion, present = true): void {
    this.setSlot(FIRST_ROM_SLOT + index, present ? region : { ...region, size: 0 }, KVM_MEM_READONLY)
  }

  /** Memory behind a BAR; of size 0: no more. */
  setFrameBuffer(region: GuestRegion): void {
    this.setSlot(FRAME_BUFFER_SLOT, region, 0)
  }

  /** From now on KVM notes which pages the guest writes (api.rst 4.8, KVM_GET_DIRTY_LOG). `regions` as they were set. */
  startDirtyLog(regions: readonly GuestRegion[]): void {
    for (const [slot, region] of regions.entries()) this.setSlot(slot, region, KVM_MEM_LOG_DIRTY_PAGES)
  }

  /** A bit for each page of `region`, the one in `slot`, that the guest wrote since the last call. */
  takeDirtyLog(slot: number, region: GuestRegion): Uint8Array {
    // The kernel writes whole words of 64 pages.
    const bits = new NativeBuffer(Math.ceil(region.size / PAGE / 64) * 8)
    try {
      const request = new DataView(new ArrayBuffer(16))
      request.setUint32(0, slot, true)
      request.setBigUint64(8, BigInt(bits.address), true)
      check('KVM_GET_DIRTY_LOG', ioctl(this.fd, KVM_GET_DIRTY_LOG, request))
      return bits.bytes.slice()
    } finally {
      bits.free()
    }
  }

  private setSlot(slot: number, region: GuestRegion, flags: number): void {
    const request = new DataView(new ArrayBuffer(SIZE.memoryRegion))
    request.setUint32(0, slot, true)
    request.setUint32(4, flags, true)
    request.setBigUint64(8, BigInt(region.guestAddress), true)
    request.setBigUint64(16, BigInt(region.size), true)
    request.setBigUint64(24, BigInt(region.hostAddress), true)
    check('KVM_SET_USER_MEMORY_REGION', ioctl(this.fd, KVM_SET_USER_MEMORY_REGION, request))
  }

  createVcpu(id: number): Vcpu {
    return new Vcpu(check('KVM_CREATE_VCPU', ioctlInt(this.fd, KVM_CREATE_VCPU, id)), id, this.vcpuMmapSize)
  }

  /** Every signal of eventfd `fd` raises `gsi` (api.rst 4.75). */
  assignIrqfd(fd: number, gsi: number): void {
    check('KVM_IRQFD', ioctl(this.fd, KVM_IRQFD, irqfd(fd, gsi, 0)))
  }

  deassignIrqfd(fd: number, gsi: number): void {
    check('KVM_IRQFD', ioctl(this.fd, KVM_IRQFD, irqfd(fd, gsi, KVM_IRQFD_FLAG_DEASSIGN)))
  }

  setIrqLine(pin: number, level: boolean): void {
    if (pin < 0 || pin >= IOAPIC_PINS) throw new RangeError(`no IOAPIC pin ${pin}`)
    check('KVM_IRQ_LINE', ioctl(this.fd, KVM_IRQ_LINE, new Uint32Array([pin, level ? 1 : 0])))
  }

  close(): void {
    close(this.fd)
  }
}

function irqfd(fd: number, gsi: number, flags: number): DataView {
  const request = new DataView(new ArrayBuffer(SIZE.irqfd))
  request.setUint32(0, fd, true)
  request.setUint32(4, gsi, true)
  request.setUint32(8, flags, true)
  return request
}
