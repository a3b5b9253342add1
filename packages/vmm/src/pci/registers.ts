/** Configuration space of a type 0 function (PCI Local Bus 3.0, section 6.1), by the names of that section. */
export const PCI = {
  VENDOR_ID: 0x00,
  DEVICE_ID: 0x02,
  COMMAND: 0x04,
  STATUS: 0x06,
  REVISION_ID: 0x08,
  CLASS_CODE: 0x09,
  CACHE_LINE_SIZE: 0x0c,
  LATENCY_TIMER: 0x0d,
  HEADER_TYPE: 0x0e,
  BAR0: 0x10,
  SUBSYSTEM_VENDOR_ID: 0x2c,
  SUBSYSTEM_ID: 0x2e,
  CAPABILITIES_POINTER: 0x34,
  INTERRUPT_LINE: 0x3c,
  INTERRUPT_PIN: 0x3d,
  /** Where the first capability may lie. */
  HEADER_END: 0x40,
} as const

/** Section 6.2.2. */
export const COMMAND = {
  IO_SPACE: 1 << 0,
  MEMORY_SPACE: 1 << 1,
  BUS_MASTER: 1 << 2,
  PARITY_ERROR_RESPONSE: 1 << 6,
  SERR_ENABLE: 1 << 8,
  INTERRUPT_DISABLE: 1 << 10,
} as const

/** Section 6.2.3. */
export const STATUS_BITS = { INTERRUPT: 1 << 3, CAPABILITIES_LIST: 1 << 4 } as const

export const CAPABILITY_ID = { VENDOR: 0x09, MSIX: 0x11 } as const

/** MSI-X (PCI Local Bus 3.0, section 6.8.2). */
export const MSIX = {
  CONTROL_ENABLE: 1 << 15,
  CONTROL_FUNCTION_MASK: 1 << 14,
  ENTRY_BYTES: 16,
  VECTOR_MASKED: 1,
} as const

/** A slot's INTx goes to GSI 16 + (slot & 7): IOAPIC pins that no ISA interrupt uses. The ACPI _PRT says the same. */
export const FIRST_INTX_GSI = 16
export const INTX_LINES = 8
export const gsiOfSlot = (slot: number): number => FIRST_INTX_GSI + (slot % INTX_LINES)
