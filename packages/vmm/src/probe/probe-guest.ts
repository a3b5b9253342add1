/**
 * The smallest guest that tells a KVM that runs ordinary kernels from one that only looks like it: 32-bit
 * protected mode, an interrupt table of its own, INT3 through it, a port written before and after. Software
 * backends (kvm_pvm) emulate kernel code and refuse INT3 there; every distribution kernel executes it at boot.
 */
import { KVM_EXIT, KVM_RUN, RUN } from '../kvm/api.ts'
import type { Segment } from '../kvm/vcpu.ts'
import { Kvm } from '../kvm/vm.ts'
import { check, errno, ioctlInt, MAP, mmap, PROT, viewOf } from '../sys/libc.ts'

const CODE = 0x1000
const HANDLER = 0x2000
const IDT_POINTER = 0x3000
const IDT = 0x3100
const GDT = 0x4000
const TSS = 0x5000
const STACK_TOP = 0x7000
const MEMORY_BYTES = 0x8000
const PORT = 0x80
const BREAKPOINT_VECTOR = 3
/** Written by the handler, then by the code after INT3. */
const EXPECTED = [1, 2]

const code = Uint8Array.of(
  ...[0x0f, 0x01, 0x1d, 0x00, 0x30, 0x00, 0x00], // lidt [IDT_POINTER]
  0xcc, // int3
  ...[0xb0, EXPECTED[1]!, 0xe6, PORT], // mov al, 2; out PORT, al
  0xf4, // hlt
)
const handler = Uint8Array.of(0xb0, EXPECTED[0]!, 0xe6, PORT, 0xcf) // mov al, 1; out PORT, al; iret

const flat = { base: 0, limit: 0xffff_ffff, s: 1, db: 1, g: 1 } as const
const codeSegment: Segment = { ...flat, selector: 8, type: 0xb }
const dataSegment: Segment = { ...flat, selector: 16, type: 0x3 }
const taskSegment: Segment = { selector: 24, base: TSS, limit: 0x67, type: 0xb, s: 0 }

/** Runs it. Returns what went wrong, or undefined when ordinary guests will run. Throws ExitError when KVM cannot be opened. May hang on a broken KVM: run it in a process of its own. */
export function runProbeGuest(): string | undefined {
  const kvm = Kvm.open()
  const vm = kvm.createVm()
  const address = check(
    'mmap(guest memory)',
    mmap(0, MEMORY_BYTES, PROT.READ | PROT.WRITE, MAP.SHARED | MAP.ANONYMOUS, -1, 0),
  )
  load(viewOf(address, MEMORY_BYTES))
  vm.setMemory([{ guestAddress: 0, size: MEMORY_BYTES, hostAddress: address }])
  const vcpu = vm.createVcpu(0)
  vcpu.setEntryState({
    regs: { rip: CODE, rsp: STACK_TOP },
    code: codeSegment,
    data: dataSegment,
    tss: taskSegment,
    gdt: { base: GDT, limit: 31 },
    cr0: 0x11, // PE, ET
    cr3: 0,
    cr4: 0,
    efer: 0,
  })
  const run = new DataView(viewOf(vcpu.runAddress, vcpu.runSize))
  const written: number[] = []
  for (;;) {
    if (ioctlInt(vcpu.fd, KVM_RUN, 0) < 0) return `KVM_RUN failed (errno ${errno()})`
    const reason = run.getUint32(RUN.exitReason, true)
    if (reason === KVM_EXIT.HLT) break
    if (reason !== KVM_EXIT.IO || written.length === EXPECTED.length) {
      return reason === KVM_EXIT.INTERNAL_ERROR
        ? 'it cannot execute INT3 in a guest kernel'
        : `it ended a simple guest with exit ${reason}`
    }
    written.push(run.getUint8(Number(run.getBigUint64(RUN.io.dataOffset, true))))
  }
  return written.join() === EXPECTED.join()
    ? undefined
    : `a simple guest wrote ${written.join()} instead of ${EXPECTED.join()}`
}

function load(buffer: ArrayBuffer): void {
  const bytes = new Uint8Array(buffer)
  const view = new DataView(buffer)
  bytes.set(code, CODE)
  bytes.set(handler, HANDLER)
  view.setUint16(IDT_POINTER, 8 * (BREAKPOINT_VECTOR + 1) - 1, true)
  view.setUint32(IDT_POINTER + 2, IDT, true)
  const gate = IDT + 8 * BREAKPOINT_VECTOR
  view.setUint16(gate, HANDLER, true)
  view.setUint16(gate + 2, codeSegment.selector, true)
  view.setUint16(gate + 4, 0x8e00, true) // present 32-bit interrupt gate
  view.setBigUint64(GDT + 8, 0x00cf_9b00_0000_ffffn, true)
  view.setBigUint64(GDT + 16, 0x00cf_9300_0000_ffffn, true)
}
