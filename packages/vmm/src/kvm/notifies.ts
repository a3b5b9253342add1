/** Queue notifies that never leave the kernel (api.rst 4.59 KVM_IOEVENTFD). */
import type { NotifyRegistry } from '../io/platform.ts'
import { check, ioctl } from '../sys/libc.ts'
import {
  KVM_IOEVENTFD,
  KVM_IOEVENTFD_FLAG_DATAMATCH,
  KVM_IOEVENTFD_FLAG_DEASSIGN,
  KVM_IOEVENTFD_FLAG_PIO,
  SIZE,
} from './api.ts'
import type { Vm } from './vm.ts'

export class KvmNotifies implements NotifyRegistry {
  private readonly vm: Vm

  constructor(vm: Vm) {
    this.vm = vm
  }

  add(space: 'pio' | 'mmio', address: number, length: number, fd: number, value?: number): void {
    this.request(space, address, length, fd, 0, value)
  }

  remove(space: 'pio' | 'mmio', address: number, length: number, fd: number, value?: number): void {
    this.request(space, address, length, fd, KVM_IOEVENTFD_FLAG_DEASSIGN, value)
  }

  /** struct kvm_ioeventfd: u64 datamatch; u64 addr; u32 len; s32 fd; u32 flags. */
  private request(
    space: 'pio' | 'mmio',
    address: number,
    length: number,
    fd: number,
    flags: number,
    value: number | undefined,
  ): void {
    const view = new DataView(new ArrayBuffer(SIZE.ioeventfd))
    const match = value === undefined ? 0 : KVM_IOEVENTFD_FLAG_DATAMATCH
    view.setBigUint64(0, BigInt(value ?? 0), true)
    view.setBigUint64(8, BigInt(address), true)
    view.setUint32(16, length, true)
    view.setInt32(20, fd, true)
    view.setUint32(24, flags | match | (space === 'pio' ? KVM_IOEVENTFD_FLAG_PIO : 0), true)
    check('KVM_IOEVENTFD', ioctl(this.vm.fd, KVM_IOEVENTFD, view))
  }
}
