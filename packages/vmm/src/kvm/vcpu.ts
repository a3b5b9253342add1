/** One vCPU: its file descriptor, its shared kvm_run page, and the set-up before it first runs. */
import { check, close, ioctl, ioctlInt, MAP, mmap, munmap, PROT } from '../sys/libc.ts'
import {
  KVM_GET_LAPIC,
  KVM_GET_REGS,
  KVM_GET_SREGS,
  KVM_GET_TSC_KHZ,
  KVM_SET_CPUID2,
  KVM_SET_LAPIC,
  KVM_SET_MSRS,
  KVM_SET_REGS,
  KVM_SET_SREGS,
  SIZE,
} from './api.ts'
import { type CpuidEntry, encodeCpuid } from './cpuid.ts'

/** A model-specific register. */
export interface Msr {
  readonly index: number
  readonly value: bigint
}

/** struct kvm_segment, as far as a boot protocol sets it. */
export interface Segment {
  readonly selector: number
  readonly base: number
  readonly limit: number
  /** 4-bit type of a code or data descriptor (SDM vol. 3, 3.4.5.1). */
  readonly type: number
  readonly s: number
  readonly l?: number
  readonly db?: number
  readonly g?: number
}

/** The state a boot protocol enters the first vCPU in; registers not named are zero. */
export interface EntryState {
  readonly regs: {
    rip: number
    rax?: number
    rbx?: number
    rsi?: number
    rdi?: number
    rsp?: number
    rbp?: number
  }
  readonly code: Segment
  readonly data: Segment
  readonly tss: Segment
  readonly gdt: { base: number; limit: number }
  readonly cr0: number
  readonly cr3: number
  readonly cr4: number
  readonly efer: number
}

const SREGS = {
  cs: 0,
  ds: 24,
  es: 48,
  fs: 72,
  gs: 96,
  ss: 120,
  tr: 144,
  ldt: 168,
  gdt: 192,
  idt: 208,
  cr0: 224,
  cr3: 240,
  cr4: 248,
  efer: 264,
} as const
const REGS = { rax: 0, rbx: 8, rsi: 32, rdi: 40, rsp: 48, rbp: 56, rip: 128, rflags: 136 } as const
const RFLAGS_RESERVED = 2

const APIC_LVT0 = 0x350
const APIC_LVT1 = 0x360
const APIC_MODE_NMI = 0x400
const APIC_MODE_EXTINT = 0x700

export class Vcpu {
  readonly id: number
  readonly fd: number
  /** Where struct kvm_run is mapped in this process, and how long it is. */
  readonly runAddress: number
  readonly runSize: number

  constructor(fd: number, id: number, runSize: number) {
    this.fd = fd
    this.id = id
    this.runSize = runSize
    this.runAddress = check('mmap(kvm_run)', mmap(0, runSize, PROT.READ | PROT.WRITE, MAP.SHARED, fd, 0))
  }

  setCpuid(entries: readonly CpuidEntry[]): void {
    check('KVM_SET_CPUID2', ioctl(this.fd, KVM_SET_CPUID2, encodeCpuid(entries)))
  }

  setMsrs(msrs: readonly Msr[]): void {
    const request = new DataView(new ArrayBuffer(8 + msrs.length * SIZE.msrEntry))
    request.setUint32(0, msrs.length, true)
    for (const [i, msr] of msrs.entries()) {
      request.setUint32(8 + i * SIZE.msrEntry, msr.index, true)
      request.setBigUint64(16 + i * SIZE.msrEntry, msr.value, true)
    }
    const done = check('KVM_SET_MSRS', ioctl(this.fd, KVM_SET_MSRS, request))
    if (done !== msrs.length) {
      throw new Error(`KVM_SET_MSRS stopped at MSR 0x${msrs[done]!.index.toString(16)}`)
    }
  }

  /** LINT0 takes the PIC's interrupts, LINT1 is the NMI, as firmware leaves them (MP specification 3.6.1). */
  setLocalInterrupts(): void {
    const lapic = new DataView(new ArrayBuffer(SIZE.lapic))
    check('KVM_GET_LAPIC', ioctl(this.fd, KVM_GET_LAPIC, lapic))
    lapic.setUint32(APIC_LVT0, APIC_MODE_EXTINT, true)
    lapic.setUint32(APIC_LVT1, APIC_MODE_NMI, true)
    check('KVM_SET_LAPIC', ioctl(this.fd, KVM_SET_LAPIC, lapic))
  }

  setEntryState(state: EntryState): void {
    const sregs = new DataView(new ArrayBuffer(SIZE.sregs))
    check('KVM_GET_SREGS', ioctl(this.fd, KVM_GET_SREGS, sregs))
    segment(sregs, SREGS.cs, state.code)
    for (const at of [SREGS.ds, SREGS.es, SREGS.fs, SREGS.gs, SREGS.ss]) segment(sregs, at, state.data)
    segment(sregs, SREGS.tr, state.tss)
    table(sregs, SREGS.gdt, state.gdt.base, state.gdt.limit)
    table(sregs, SREGS.idt, 0, 0)
    sregs.setBigUint64(SREGS.cr0, BigInt(state.cr0), true)
    sregs.setBigUint64(SREGS.cr3, BigInt(state.cr3), true)
    sregs.setBigUint64(SREGS.cr4, BigInt(state.cr4), true)
    sregs.setBigUint64(SREGS.efer, BigInt(state.efer), true)
    check('KVM_SET_SREGS', ioctl(this.fd, KVM_SET_SREGS, sregs))

    const regs = new DataView(new ArrayBuffer(SIZE.regs))
    for (const name of ['rip', 'rax', 'rbx', 'rsi', 'rdi', 'rsp', 'rbp'] as const) {
      regs.setBigUint64(REGS[name], BigInt(state.regs[name] ?? 0), true)
    }
    regs.setBigUint64(REGS.rflags, BigInt(RFLAGS_RESERVED), true)
    check('KVM_SET_REGS', ioctl(this.fd, KVM_SET_REGS, regs))
  }

  tscKhz(): number {
    return check('KVM_GET_TSC_KHZ', ioctlInt(this.fd, KVM_GET_TSC_KHZ, 0))
  }

  /** Instruction pointer and the paging registers, for the line that reports a crashed guest. */
  describe(): string {
    const regs = new DataView(new ArrayBuffer(SIZE.regs))
    const sregs = new DataView(new ArrayBuffer(SIZE.sregs))
    if (ioctl(this.fd, KVM_GET_REGS, regs) < 0 || ioctl(this.fd, KVM_GET_SREGS, sregs) < 0) return ''
    const hex = (view: DataView, at: number): string => `0x${view.getBigUint64(at, true).toString(16)}`
    return `rip=${hex(regs, REGS.rip)} cr0=${hex(sregs, SREGS.cr0)} cr2=${hex(sregs, 232)} cr3=${hex(sregs, SREGS.cr3)} efer=${hex(sregs, SREGS.efer)}`
  }

  close(): void {
    munmap(this.runAddress, this.runSize)
    close(this.fd)
  }
}

function segment(view: DataView, at: number, value: Segment): void {
  view.setBigUint64(at, BigInt(value.base), true)
  view.setUint32(at + 8, value.limit, true)
  view.setUint16(at + 12, value.selector, true)
  view.setUint8(at + 14, value.type)
  view.setUint8(at + 15, 1)
  view.setUint8(at + 16, 0)
  view.setUint8(at + 17, value.db ?? 0)
  view.setUint8(at + 18, value.s)
  view.setUint8(at + 19, value.l ?? 0)
  view.setUint8(at + 20, value.g ?? 0)
  view.setUint8(at + 21, 0)
  view.setUint8(at + 22, 0)
}

function table(view: DataView, at: number, base: number, limit: number): void {
  view.setBigUint64(at, BigInt(base), true)
  view.setUint16(at + 8, limit, true)
}
