/**
 * The MP configuration table (Intel, MultiProcessor Specification 1.4, chapter 4): processors and interrupt lines for a
 * guest that does without ACPI. The floating pointer comes first, where such a guest searches for it.
 */
import { IOAPIC_ADDRESS, IOAPIC_PINS, IRQ, LAPIC_ADDRESS, MP_TABLE, pciPin } from '../machine/layout.ts'

const REVISION = 4
const FLOATING_POINTER_BYTES = 16
const HEADER_BYTES = 44
const ENTRY = { PROCESSOR: 0, BUS: 1, IOAPIC: 2, IO_INTERRUPT: 3, LOCAL_INTERRUPT: 4 } as const
const INTERRUPT = { INT: 0, NMI: 1, EXTINT: 3 } as const
/** As the bus has it: edges on ISA, levels on PCI. */
const CONFORMS = 0
const LEVEL_ACTIVE_HIGH = 0xd
const BUS = { PCI: 0, ISA: 1 } as const
const ALL_PROCESSORS = 0xff
const PCI_SLOTS = 32
/** Of an integrated APIC, and of the 82093AA. */
const LAPIC_VERSION = 0x14
const IOAPIC_VERSION = 0x11
/** A processor of family 6 with FPU, MSR, CX8, APIC: nobody looks beyond. */
const CPU_SIGNATURE = [0x00, 0x06, 0, 0]
const CPU_FEATURES = [0x21, 0x03, 0, 0]

const ascii = (text: string, bytes: number): number[] => [...text.padEnd(bytes)].map((c) => c.charCodeAt(0))
const le16 = (value: number): number[] => [value & 0xff, value >>> 8]
const le32 = (value: number): number[] => [...le16(value & 0xffff), ...le16(value >>> 16)]

/** What lies at MP_TABLE.start. The processors' ids, and the IOAPIC's behind them, are those of the MADT. */
export function buildMpTable(cpus: number): Uint8Array {
  const entries = [
    ...Array.from({ length: cpus }, (_, cpu) => processor(cpu)),
    [ENTRY.BUS, BUS.PCI, ...ascii('PCI', 6)],
    [ENTRY.BUS, BUS.ISA, ...ascii('ISA', 6)],
    [ENTRY.IOAPIC, cpus, IOAPIC_VERSION, 1, ...le32(IOAPIC_ADDRESS)],
    ...isaInterrupts(cpus),
    ...Array.from({ length: PCI_SLOTS }, (_, slot) =>
      ioInterrupt(CONFORMS, BUS.PCI, slot << 2, cpus, pciPin(slot)),
    ),
    local(INTERRUPT.EXTINT, 0),
    local(INTERRUPT.NMI, 1),
  ]
  const body = entries.flat()
  const header = [
    ...ascii('PCMP', 4),
    ...[...le16(HEADER_BYTES + body.length), REVISION, 0],
    ...[...ascii('HEARTH', 8), ...ascii('HEARTHVM', 12)],
    ...[...le32(0), ...le16(0), ...le16(entries.length), ...le32(LAPIC_ADDRESS), ...le16(0), 0, 0],
  ]
  const pointer = [
    ...[...ascii('_MP_', 4), ...le32(MP_TABLE.start + FLOATING_POINTER_BYTES)],
    // Its length in units of 16 bytes; no default configuration; the PICs are wired as on a PC.
    ...[1, REVISION, 0, 0, 0, 0, 0, 0],
  ]
  const table = withChecksum([...header, ...body], 7)
  const bytes = Uint8Array.from([...withChecksum(pointer, 10), ...table])
  if (bytes.length > MP_TABLE.end - MP_TABLE.start) throw new RangeError('the MP table does not fit its page')
  return bytes
}

function processor(cpu: number): number[] {
  const ENABLED = 1
  const BOOT_PROCESSOR = 2
  const flags = ENABLED | (cpu === 0 ? BOOT_PROCESSOR : 0)
  const reserved = [0, 0, 0, 0, 0, 0, 0, 0]
  return [ENTRY.PROCESSOR, cpu, LAPIC_VERSION, flags, ...CPU_SIGNATURE, ...CPU_FEATURES, ...reserved]
}

/** The timer is wired to pin 2, whose own line is the PICs' cascade; power management's is level-triggered. */
function isaInterrupts(ioapic: number): number[][] {
  const lines = Array.from({ length: 16 }, (_, line) => line).filter((line) => line !== 2)
  return lines.map((line) => {
    const flags = line === IRQ.sci ? LEVEL_ACTIVE_HIGH : CONFORMS
    return ioInterrupt(flags, BUS.ISA, line, ioapic, line === 0 ? 2 : line)
  })
}

function ioInterrupt(flags: number, bus: number, source: number, ioapic: number, pin: number): number[] {
  if (pin >= IOAPIC_PINS) throw new RangeError(`the IOAPIC has no pin ${pin}`)
  return [ENTRY.IO_INTERRUPT, INTERRUPT.INT, ...le16(flags), bus, source, ioapic, pin]
}

const local = (type: number, pin: number): number[] => [
  ...[ENTRY.LOCAL_INTERRUPT, type, ...le16(CONFORMS)],
  ...[BUS.ISA, 0, ALL_PROCESSORS, pin],
]

/** All bytes together are 0 then. */
function withChecksum(bytes: number[], at: number): number[] {
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  return bytes.map((byte, i) => (i === at ? -sum & 0xff : byte))
}
