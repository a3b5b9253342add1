/**
 * The KVM user-space interface: request numbers, structure layouts and constants, by their names in
 * Documentation/virt/kvm/api.rst and linux/kvm.h (x86-64).
 */
const KVMIO = 0xae
const io = (nr: number): number => (KVMIO << 8) | nr
const iow = (nr: number, size: number): number => ((1 << 30) | (size << 16) | (KVMIO << 8) | nr) >>> 0
const ior = (nr: number, size: number): number => ((2 << 30) | (size << 16) | (KVMIO << 8) | nr) >>> 0
const iowr = (nr: number, size: number): number => ((3 << 30) | (size << 16) | (KVMIO << 8) | nr) >>> 0

export const KVM_API_VERSION = 12

/** struct sizes. */
export const SIZE = {
  regs: 144,
  sregs: 312,
  lapic: 1024,
  memoryRegion: 32,
  irqfd: 32,
  reinjectControl: 32,
  ioeventfd: 64,
  pitConfig: 64,
  routingEntry: 48,
  cpuidEntry: 40,
  msrEntry: 16,
  irqchip: 520,
  pitState2: 112,
  clockData: 48,
  vcpuEvents: 64,
  debugRegs: 128,
  xsave: 4096,
  xcrs: 392,
  mpState: 4,
} as const

export const KVM_GET_API_VERSION = io(0x00)
export const KVM_CREATE_VM = io(0x01)
export const KVM_CHECK_EXTENSION = io(0x03)
export const KVM_GET_VCPU_MMAP_SIZE = io(0x04)
export const KVM_GET_MSR_INDEX_LIST = iowr(0x02, 4)
export const KVM_GET_SUPPORTED_CPUID = iowr(0x05, 8)
export const KVM_GET_DIRTY_LOG = iow(0x42, 16)
export const KVM_CREATE_VCPU = io(0x41)
export const KVM_SET_USER_MEMORY_REGION = iow(0x46, SIZE.memoryRegion)
export const KVM_SET_TSS_ADDR = io(0x47)
export const KVM_SET_IDENTITY_MAP_ADDR = iow(0x48, 8)
export const KVM_CREATE_IRQCHIP = io(0x60)
export const KVM_IRQ_LINE = iow(0x61, 8)
export const KVM_GET_IRQCHIP = iowr(0x62, SIZE.irqchip)
/** Declared as a read in linux/kvm.h, though it writes. */
export const KVM_SET_IRQCHIP = ior(0x63, SIZE.irqchip)
export const KVM_SET_GSI_ROUTING = iow(0x6a, 8)
export const KVM_REINJECT_CONTROL = io(0x71)
export const KVM_IRQFD = iow(0x76, SIZE.irqfd)
export const KVM_CREATE_PIT2 = iow(0x77, SIZE.pitConfig)
export const KVM_IOEVENTFD = iow(0x79, SIZE.ioeventfd)
export const KVM_SET_CLOCK = iow(0x7b, SIZE.clockData)
export const KVM_GET_CLOCK = ior(0x7c, SIZE.clockData)
export const KVM_RUN = io(0x80)
export const KVM_GET_REGS = ior(0x81, SIZE.regs)
export const KVM_SET_REGS = iow(0x82, SIZE.regs)
export const KVM_GET_SREGS = ior(0x83, SIZE.sregs)
export const KVM_SET_SREGS = iow(0x84, SIZE.sregs)
export const KVM_GET_MSRS = iowr(0x88, 8)
export const KVM_SET_MSRS = iow(0x89, 8)
export const KVM_GET_LAPIC = ior(0x8e, SIZE.lapic)
export const KVM_SET_LAPIC = iow(0x8f, SIZE.lapic)
export const KVM_SET_CPUID2 = iow(0x90, 8)
export const KVM_GET_MP_STATE = ior(0x98, SIZE.mpState)
export const KVM_SET_MP_STATE = iow(0x99, SIZE.mpState)
export const KVM_GET_VCPU_EVENTS = ior(0x9f, SIZE.vcpuEvents)
export const KVM_SET_VCPU_EVENTS = iow(0xa0, SIZE.vcpuEvents)
/** Of the VM; the numbers above are told apart by the size. */
export const KVM_GET_PIT2 = ior(0x9f, SIZE.pitState2)
export const KVM_SET_PIT2 = iow(0xa0, SIZE.pitState2)
export const KVM_GET_DEBUGREGS = ior(0xa1, SIZE.debugRegs)
export const KVM_SET_DEBUGREGS = iow(0xa2, SIZE.debugRegs)
export const KVM_SET_TSC_KHZ = io(0xa2)
export const KVM_GET_TSC_KHZ = io(0xa3)
export const KVM_GET_XSAVE = ior(0xa4, SIZE.xsave)
export const KVM_SET_XSAVE = iow(0xa5, SIZE.xsave)
export const KVM_GET_XCRS = ior(0xa6, SIZE.xcrs)
export const KVM_SET_XCRS = iow(0xa7, SIZE.xcrs)
export const KVM_KVMCLOCK_CTRL = io(0xad)
export const KVM_GET_STATS_FD = io(0xce)
export const KVM_GET_XSAVE2 = ior(0xcf, SIZE.xsave)

/** KVM_CHECK_EXTENSION arguments. */
export const KVM_CAP = {
  IRQCHIP: 0,
  USER_MEMORY: 3,
  SET_TSS_ADDR: 4,
  NR_VCPUS: 9,
  IRQ_ROUTING: 25,
  IRQFD: 32,
  PIT2: 33,
  IOEVENTFD: 36,
  TSC_DEADLINE_TIMER: 72,
  MAX_VCPUS: 66,
  IMMEDIATE_EXIT: 136,
  /** How many bytes KVM_GET_XSAVE2 fills; 0 where it does not exist. */
  XSAVE2: 208,
} as const

/** kvm_run.exit_reason. */
export const KVM_EXIT = {
  UNKNOWN: 0,
  EXCEPTION: 1,
  IO: 2,
  HYPERCALL: 3,
  DEBUG: 4,
  HLT: 5,
  MMIO: 6,
  IRQ_WINDOW_OPEN: 7,
  SHUTDOWN: 8,
  FAIL_ENTRY: 9,
  INTR: 10,
  INTERNAL_ERROR: 17,
  SYSTEM_EVENT: 24,
} as const

/** struct kvm_run: byte offsets. The exit's own union begins at 32. */
export const RUN = {
  immediateExit: 1,
  exitReason: 8,
  io: { direction: 32, size: 33, port: 34, count: 36, dataOffset: 40 },
  mmio: { address: 32, data: 40, length: 48, isWrite: 52 },
  failEntry: { reason: 32 },
  internal: { suberror: 32 },
  systemEvent: { type: 32 },
} as const
export const KVM_EXIT_IO_OUT = 1

export const KVM_MEM_LOG_DIRTY_PAGES = 1 << 0
export const KVM_MEM_READONLY = 1 << 1

export const KVM_IRQFD_FLAG_DEASSIGN = 1
export const KVM_IOEVENTFD_FLAG_DATAMATCH = 1 << 0
export const KVM_IOEVENTFD_FLAG_PIO = 1 << 1
export const KVM_IOEVENTFD_FLAG_DEASSIGN = 1 << 2
export const KVM_IRQ_ROUTING_IRQCHIP = 1
export const KVM_IRQ_ROUTING_MSI = 2
export const KVM_IRQCHIP = { PIC_MASTER: 0, PIC_SLAVE: 1, IOAPIC: 2 } as const
export const KVM_PIT_SPEAKER_DUMMY = 1
export const KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1
