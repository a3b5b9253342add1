/** What KVM keeps of a machine beside its vCPUs: the legacy interrupt chips, the timer, the clock. */
import type { KernelState } from '@hearth/shared/vm-snapshot'
import { check, ioctl, ioctlInt } from '../sys/libc.ts'
import {
  KVM_GET_CLOCK,
  KVM_GET_IRQCHIP,
  KVM_GET_PIT2,
  KVM_GET_TSC_KHZ,
  KVM_IRQCHIP,
  KVM_SET_CLOCK,
  KVM_SET_IRQCHIP,
  KVM_SET_PIT2,
  KVM_SET_TSC_KHZ,
  SIZE,
} from './api.ts'
import type { Vcpu } from './vcpu.ts'

const CHIPS = [KVM_IRQCHIP.PIC_MASTER, KVM_IRQCHIP.PIC_SLAVE, KVM_IRQCHIP.IOAPIC] as const

/** With all vCPUs stopped. `vcpu` is any of them. */
export function saveKernelState(vmFd: number, vcpu: Vcpu): KernelState {
  const irqchip = (id: number): string => {
    const chip = new DataView(new ArrayBuffer(SIZE.irqchip))
    chip.setUint32(0, id, true)
    check('KVM_GET_IRQCHIP', ioctl(vmFd, KVM_GET_IRQCHIP, chip))
    return Buffer.from(chip.buffer).toString('base64')
  }
  const pit = new Uint8Array(SIZE.pitState2)
  check('KVM_GET_PIT2', ioctl(vmFd, KVM_GET_PIT2, pit))
  const clock = new DataView(new ArrayBuffer(SIZE.clockData))
  check('KVM_GET_CLOCK', ioctl(vmFd, KVM_GET_CLOCK, clock))
  return {
    clock: `0x${clock.getBigUint64(0, true).toString(16)}`,
    tscKhz: check('KVM_GET_TSC_KHZ', ioctlInt(vcpu.fd, KVM_GET_TSC_KHZ, 0)),
    pit: Buffer.from(pit).toString('base64'),
    irqchips: [irqchip(CHIPS[0]), irqchip(CHIPS[1]), irqchip(CHIPS[2])],
  }
}

/** Before the vCPUs get their counters: how fast those run. */
export function restoreTscRate(vcpus: readonly Vcpu[], tscKhz: number): void {
  for (const vcpu of vcpus) {
    if (ioctlInt(vcpu.fd, KVM_GET_TSC_KHZ, 0) === tscKhz) continue
    check('KVM_SET_TSC_KHZ', ioctlInt(vcpu.fd, KVM_SET_TSC_KHZ, tscKhz))
  }
}

/**
 * After the vCPUs have their state (the IOAPIC hands what is pending to their LAPICs) and before one runs.
 * `elapsedNs`: how long the machine was away; its clock goes on as if it had slept.
 */
export function restoreKernelState(vmFd: number, state: KernelState, elapsedNs: bigint): void {
  for (const [i, text] of state.irqchips.entries()) {
    const chip = new Uint8Array(Buffer.from(text, 'base64'))
    // Which chip it is says its place, not the file.
    new DataView(chip.buffer).setUint32(0, CHIPS[i]!, true)
    check('KVM_SET_IRQCHIP', ioctl(vmFd, KVM_SET_IRQCHIP, chip))
  }
  const pit = new Uint8Array(Buffer.from(state.pit, 'base64'))
  check('KVM_SET_PIT2', ioctl(vmFd, KVM_SET_PIT2, pit))
  const clock = new DataView(new ArrayBuffer(SIZE.clockData))
  clock.setBigUint64(0, BigInt.asUintN(64, BigInt(state.clock) + elapsedNs), true)
  check('KVM_SET_CLOCK', ioctl(vmFd, KVM_SET_CLOCK, clock))
}

/** How far a time stamp counter of `tscKhz` goes in `elapsedNs`. */
export const tscTicksOf = (tscKhz: number, elapsedNs: bigint): bigint =>
  (elapsedNs * BigInt(tscKhz)) / 1_000_000n
