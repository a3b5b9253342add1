/** What a chipset device tells the machine about the guest's wishes. Called on the I/O thread, must return at once. */
export interface MachineEvents {
  /** ACPI S5. */
  powerOff(): void
  /** `reason` names the register, for the log. */
  reset(reason: string): void
  /** The guest's kernel panicked, or says it goes on to a crash kernel. */
  panic(kind: 'panicked' | 'crash-loaded'): void
}
