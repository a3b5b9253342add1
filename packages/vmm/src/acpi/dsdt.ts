/** What the fixed tables cannot say: power-off, the PCI host bridge, legacy devices, processors. */
import { GPE_BYTES, GPE_EVENT } from '../chipset/gpe.ts'
import { IRQ, mmioPlace, PORT, pciPin, VIRTIO_MMIO } from '../machine/layout.ts'
import {
  type Aml,
  busNumbers,
  device,
  dword,
  dwordMemory,
  eisaId,
  integer,
  ioPorts,
  irq,
  levelInterrupt,
  memory32Fixed,
  method,
  name,
  notify,
  packageOf,
  resources,
  scope,
  string,
  wordIo,
} from './aml.ts'
import type { AcpiMachine } from './tables.ts'

/** The SLP_TYP that means S5 here (ACPI 6.5, 4.8.3.2.1). */
export const SLEEP_TYPE_S5 = 5
const PRESENT = 0xf

const DEVICE_SPECIFIC_CHANGE = 0x80

/** The body, and where in it the address of the generation ID is: 4 bytes, which firmware makes absolute. */
export function dsdtBody(machine: AcpiMachine): { body: Uint8Array; generationIdAt: number } {
  const { cpus, ecam } = machine
  // Low half, high half.
  const generationId = name('ADDR', packageOf(dword(machine.generationId), integer(0)))
  const body = [
    ...name('\\_S5', packageOf(integer(SLEEP_TYPE_S5), integer(SLEEP_TYPE_S5), integer(0), integer(0))),
    ...scope(
      '\\_SB',
      pciHostBridge(machine),
      device(
        'MBRD',
        name('_HID', eisaId('PNP0C02')),
        name(
          '_CRS',
          resources(
            memory32Fixed(ecam.start, ecam.size),
            ioPorts(PORT.pm1aEvent, 0x10),
            ioPorts(PORT.gpe0, GPE_BYTES),
          ),
        ),
      ),
      device(
        'COM1',
        name('_HID', eisaId('PNP0501')),
        name('_UID', integer(1)),
        name('_STA', integer(PRESENT)),
        name('_CRS', resources(ioPorts(PORT.com1, 8), irq(IRQ.com1))),
      ),
      device(
        'RTC',
        name('_HID', eisaId('PNP0B00')),
        name('_CRS', resources(ioPorts(PORT.cmos, 2), irq(IRQ.rtc))),
      ),
      ...(machine.keyboard ? [keyboardDevice] : []),
      device(
        'PEVT',
        name('_HID', string('QEMU0001')),
        name('_STA', integer(PRESENT)),
        name('_CRS', resources(ioPorts(PORT.pvpanic, 1))),
      ),
      device(
        'VGEN',
        name('_HID', string('QEMUVGID')),
        name('_CID', string('VM_Gen_Counter')),
        name('_DDN', string('VM_Gen_Counter')),
        name('_STA', integer(PRESENT)),
        generationId,
      ),
      ...Array.from({ length: machine.mmioDevices ?? 0 }, (_, index) => mmioDevice(index)),
      ...Array.from({ length: cpus }, (_, cpu) => processor(cpu)),
    ),
    ...scope(
      '\\_GPE',
      method(
        `_E${GPE_EVENT.generationId.toString(16).toUpperCase().padStart(2, '0')}`,
        notify('\\_SB.VGEN', DEVICE_SPECIFIC_CHANGE),
      ),
    ),
  ]
  // The package's first element is the prefix byte 0x0C and the four bytes, its second one byte.
  const end = Buffer.from(body).indexOf(Buffer.from(generationId)) + generationId.length
  return { body: Uint8Array.from(body), generationIdAt: end - 5 }
}

const keyboardDevice = device(
  'KBD',
  name('_HID', eisaId('PNP0303')),
  name('_STA', integer(PRESENT)),
  name('_CRS', resources(ioPorts(PORT.i8042Data, 1), ioPorts(PORT.i8042Command, 1), irq(IRQ.keyboard))),
)

function pciHostBridge({ ecam, pciMemory }: AcpiMachine): Aml {
  const interrupts = Array.from({ length: 32 }, (_, slot) =>
    packageOf(integer(slot * 0x1_0000 + 0xffff), integer(0), integer(0), integer(pciPin(slot))),
  )
  return device(
    'PCI0',
    name('_HID', eisaId('PNP0A08')),
    name('_CID', eisaId('PNP0A03')),
    name('_UID', integer(0)),
    name('_SEG', integer(0)),
    name('_BBN', integer(0)),
    name(
      '_CRS',
      resources(
        busNumbers(0, ecam.lastBus),
        ioPorts(PORT.pciConfig, 8),
        wordIo(0, PORT.pciConfig - 1),
        wordIo(PORT.pciConfig + 8, 0xffff),
        ...pciMemory.map(({ start, end }) => dwordMemory(start, end - 1)),
      ),
    ),
    name('_PRT', packageOf(...interrupts)),
  )
}

/** A virtio device over MMIO, by the name Linux's virtio_mmio driver looks for. */
function mmioDevice(index: number): Aml {
  const { address, irq: line } = mmioPlace(index)
  return device(
    `V${index.toString(16).toUpperCase().padStart(3, '0')}`,
    name('_HID', string('LNRO0005')),
    name('_UID', integer(index)),
    name('_STA', integer(PRESENT)),
    name('_CRS', resources(memory32Fixed(address, VIRTIO_MMIO.stride), levelInterrupt(line))),
  )
}

const processor = (cpu: number): Aml =>
  device(
    `C${cpu.toString(16).toUpperCase().padStart(3, '0')}`,
    name('_HID', string('ACPI0007')),
    name('_UID', integer(cpu)),
    name('_STA', integer(PRESENT)),
  )
