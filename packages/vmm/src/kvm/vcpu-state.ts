/**
 * All of one vCPU that has stopped, and back. KVM's getters and setters touch each other's state, so both orders
 * matter: the multiprocessing state comes first because asking for it lets pending INIT and SIPI take effect; the
 * LAPIC needs its base from the special registers, the deadline MSR needs the LAPIC's timer mode, and the pending
 * events go in last, when nothing can consume them any more.
 */
import type { VcpuState } from '@hearth/shared/vm-snapshot'
import { check, errno, ioctl, ioctlInt, SystemError } from '../sys/libc.ts'
import {
  KVM_CAP,
  KVM_CHECK_EXTENSION,
  KVM_GET_DEBUGREGS,
  KVM_GET_LAPIC,
  KVM_GET_MP_STATE,
  KVM_GET_MSR_INDEX_LIST,
  KVM_GET_MSRS,
  KVM_GET_REGS,
  KVM_GET_SREGS,
  KVM_GET_VCPU_EVENTS,
  KVM_GET_XCRS,
  KVM_GET_XSAVE,
  KVM_GET_XSAVE2,
  KVM_KVMCLOCK_CTRL,
  KVM_SET_DEBUGREGS,
  KVM_SET_LAPIC,
  KVM_SET_MP_STATE,
  KVM_SET_MSRS,
  KVM_SET_REGS,
  KVM_SET_SREGS,
  KVM_SET_VCPU_EVENTS,
  KVM_SET_XCRS,
  KVM_SET_XSAVE,
  SIZE,
} from './api.ts'
import type { CpuidEntry } from './cpuid.ts'
import type { Msr, Vcpu } from './vcpu.ts'

const IA32_TSC = 0x10
const IA32_PAT = 0x277
const IA32_MTRR_DEF_TYPE = 0x2ff
const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i)
/** Kept by KVM but not in its list: the memory types of the fixed and variable ranges. */
const MTRRS = [
  ...[IA32_PAT, IA32_MTRR_DEF_TYPE, 0x250, 0x258, 0x259],
  ...range(0x268, 8),
  ...range(0x200, 16),
]
const E2BIG = 7
const MAX_XSAVE = 64 * 1024

/** What of a host a vCPU's state depends on; the same for all vCPUs of a process. */
export interface StateShape {
  readonly msrs: readonly number[]
  readonly xsaveBytes: number
}

/** Asks the host which registers it keeps of a vCPU. */
export function vcpuStateShape(kvmFd: number): StateShape {
  const xsave2 = ioctlInt(kvmFd, KVM_CHECK_EXTENSION, KVM_CAP.XSAVE2)
  return {
    msrs: [...new Set([...msrIndexList(kvmFd), ...MTRRS])],
    xsaveBytes: Math.min(Math.max(SIZE.xsave, xsave2), MAX_XSAVE),
  }
}

/** struct kvm_msr_list (api.rst 4.3): the kernel says how many there are when the room is too small. */
function msrIndexList(kvmFd: number): number[] {
  const list = new Uint32Array(1 + 1024)
  list[0] = 1024
  const result = ioctl(kvmFd, KVM_GET_MSR_INDEX_LIST, list)
  if (result < 0 && errno() === E2BIG) throw new Error(`this host's KVM keeps ${list[0]} MSRs`)
  check('KVM_GET_MSR_INDEX_LIST', result)
  return [...list.subarray(1, 1 + list[0]!)]
}

/** The vCPU must have left KVM_RUN with its last exit completed. `cpuid` is what it was given. */
export function saveVcpu(vcpu: Vcpu, cpuid: readonly CpuidEntry[], shape: StateShape): VcpuState {
  const get = (name: string, request: number, size: number): string => {
    const buffer = new Uint8Array(size)
    check(name, ioctl(vcpu.fd, request, buffer))
    return Buffer.from(buffer).toString('base64')
  }
  const mpState = new Uint32Array(1)
  check('KVM_GET_MP_STATE', ioctl(vcpu.fd, KVM_GET_MP_STATE, mpState))
  return {
    cpuid: cpuid.map(
      (e) => [e.function, e.index, e.flags, e.eax, e.ebx, e.ecx, e.edx].map(unsigned) as Words,
    ),
    mpState: mpState[0]!,
    regs: get('KVM_GET_REGS', KVM_GET_REGS, SIZE.regs),
    sregs: get('KVM_GET_SREGS', KVM_GET_SREGS, SIZE.sregs),
    xsave: get(
      'KVM_GET_XSAVE',
      shape.xsaveBytes > SIZE.xsave ? KVM_GET_XSAVE2 : KVM_GET_XSAVE,
      shape.xsaveBytes,
    ),
    xcrs: get('KVM_GET_XCRS', KVM_GET_XCRS, SIZE.xcrs),
    debugRegs: get('KVM_GET_DEBUGREGS', KVM_GET_DEBUGREGS, SIZE.debugRegs),
    lapic: get('KVM_GET_LAPIC', KVM_GET_LAPIC, SIZE.lapic),
    msrs: readMsrs(vcpu, shape.msrs).map(({ index, value }) => [index, `0x${value.toString(16)}`]),
    events: get('KVM_GET_VCPU_EVENTS', KVM_GET_VCPU_EVENTS, SIZE.vcpuEvents),
  }
}

type Words = [number, number, number, number, number, number, number]
const unsigned = (value: number): number => value >>> 0

/**
 * Puts a new vCPU into `state`. `tscTicks`: how far the guest's time stamp counter went on meanwhile. Throws
 * SystemError, or Error with the name of a register this host does not take.
 */
export function restoreVcpu(vcpu: Vcpu, state: VcpuState, shape: StateShape, tscTicks: bigint): void {
  const set = (name: string, request: number, text: string, size?: number): void => {
    const buffer = Buffer.from(text, 'base64')
    // A copy with an address of its own, as long as the kernel reads.
    const bytes = new Uint8Array(Math.max(size ?? 0, buffer.length))
    bytes.set(buffer)
    check(name, ioctl(vcpu.fd, request, bytes))
  }
  vcpu.setCpuid(cpuidOf(state))
  check('KVM_SET_MP_STATE', ioctl(vcpu.fd, KVM_SET_MP_STATE, new Uint32Array([state.mpState])))
  set('KVM_SET_REGS', KVM_SET_REGS, state.regs)
  set('KVM_SET_SREGS', KVM_SET_SREGS, state.sregs)
  set('KVM_SET_XSAVE', KVM_SET_XSAVE, state.xsave, shape.xsaveBytes)
  set('KVM_SET_XCRS', KVM_SET_XCRS, state.xcrs)
  set('KVM_SET_DEBUGREGS', KVM_SET_DEBUGREGS, state.debugRegs)
  set('KVM_SET_LAPIC', KVM_SET_LAPIC, state.lapic)
  writeMsrs(
    vcpu,
    state.msrs.map(([index, value]) => ({
      index,
      value: BigInt.asUintN(64, BigInt(value) + (index === IA32_TSC ? tscTicks : 0n)),
    })),
  )
  set('KVM_SET_VCPU_EVENTS', KVM_SET_VCPU_EVENTS, state.events)
  // Tells the guest's watchdog that it stood still; refused by a guest without kvmclock, which needs it not.
  ioctlInt(vcpu.fd, KVM_KVMCLOCK_CTRL, 0)
}

export const cpuidOf = (state: VcpuState): CpuidEntry[] =>
  state.cpuid.map(([fn, index, flags, eax, ebx, ecx, edx]) => ({
    ...{ function: fn, index, flags },
    ...{ eax, ebx, ecx, edx },
  }))

/** Those of the registers that this vCPU has: KVM stops at the first one that it has not. */
function readMsrs(vcpu: Vcpu, indices: readonly number[]): Msr[] {
  const found: Msr[] = []
  for (let at = 0; at < indices.length; ) {
    const rest = indices.slice(at)
    const request = encodeMsrs(rest.map((index) => ({ index, value: 0n })))
    const done = ioctl(vcpu.fd, KVM_GET_MSRS, request)
    if (done < 0) throw new SystemError('KVM_GET_MSRS', errno())
    for (let i = 0; i < done; i++) {
      found.push({ index: rest[i]!, value: request.getBigUint64(16 + i * SIZE.msrEntry, true) })
    }
    at += done + 1
  }
  return found
}

/** A register that may not be written is right when it has the value already (some only tell what the CPU is). */
function writeMsrs(vcpu: Vcpu, msrs: readonly Msr[]): void {
  for (let at = 0; at < msrs.length; ) {
    const rest = msrs.slice(at)
    const done = ioctl(vcpu.fd, KVM_SET_MSRS, encodeMsrs(rest))
    if (done < 0) throw new SystemError('KVM_SET_MSRS', errno())
    at += done
    const refused = msrs[at]
    if (refused === undefined) return
    const now = readMsrs(vcpu, [refused.index])[0]
    if (now?.value !== refused.value && refused.value !== 0n) {
      throw new Error(
        `this host does not take MSR 0x${refused.index.toString(16)} = 0x${refused.value.toString(16)}: it has another CPU or kernel than the one the snapshot was made on`,
      )
    }
    at++
  }
}

/** struct kvm_msrs (api.rst 4.18). */
function encodeMsrs(msrs: readonly Msr[]): DataView {
  const view = new DataView(new ArrayBuffer(8 + msrs.length * SIZE.msrEntry))
  view.setUint32(0, msrs.length, true)
  for (const [i, { index, value }] of msrs.entries()) {
    view.setUint32(8 + i * SIZE.msrEntry, index, true)
    view.setBigUint64(16 + i * SIZE.msrEntry, value, true)
  }
  return view
}
