/**
 * `vm.json` of a snapshot folder: everything of a stopped machine but its memory, which lies beside it as one file.
 * Whoever restores treats the document as hostile: each number is bounded here, and what numbers mean together
 * (addresses in RAM, indices of queues) is checked by the device that takes them.
 *
 * A newer program reads older versions; an older one refuses newer ones by `v`.
 */
import { z } from 'zod'

export const vmSnapshotVersion = 1

const u8 = z.int().min(0).max(0xff)
const u16 = z.int().min(0).max(0xffff)
const u32 = z.int().min(0).max(0xffff_ffff)
const u64 = z.string().regex(/^0x[0-9a-f]{1,16}$/)
/** Exactly so many bytes, or any number up to a bound, in base64. */
const bytes = (max: number, exact = true) =>
  z.base64().refine(
    (text) => {
      const length = (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)
      return exact ? length === max : length <= max
    },
    `${exact ? '' : 'at most '}${max} bytes are expected`,
  )

/** One vCPU: structures of linux/kvm.h as the kernel gave them. */
export const vcpuStateSchema = z.strictObject({
  /** Seven words an entry: function, index, flags, eax, ebx, ecx, edx. */
  cpuid: z.array(z.tuple([u32, u32, u32, u32, u32, u32, u32])).max(512),
  mpState: u32,
  regs: bytes(144),
  sregs: bytes(312),
  xsave: bytes(64 * 1024, false),
  xcrs: bytes(392),
  debugRegs: bytes(128),
  lapic: bytes(1024),
  events: bytes(64),
  msrs: z.array(z.tuple([u32, u64])).max(1024),
})
export type VcpuState = z.infer<typeof vcpuStateSchema>

export const kernelStateSchema = z.strictObject({
  /** Nanoseconds of the guest's kvmclock. */
  clock: u64,
  tscKhz: u32,
  pit: bytes(112),
  /** PIC master, PIC slave, IOAPIC. */
  irqchips: z.tuple([bytes(520), bytes(520), bytes(520)]),
})
export type KernelState = z.infer<typeof kernelStateSchema>

export const uartStateSchema = z.strictObject({
  ier: u8,
  lcr: u8,
  mcr: u8,
  scr: u8,
  divisor: u16,
  fifoEnabled: z.boolean(),
  thrEmptyPending: z.boolean(),
  /** What was typed and not yet read. */
  input: bytes(4096, false),
})
export type UartState = z.infer<typeof uartStateSchema>

/** State of the devices at fixed ports, by the device's name. A device that has none does not appear. */
export const chipsetStateSchemas = {
  'acpi-pm': z.strictObject({ status: u16, enable: u16, control: u16 }),
  cmos: z.strictObject({ index: u8, bytes: bytes(128) }),
  gpe: z.strictObject({ status: u16, enable: u16 }),
  /** Absent in snapshots of before it was there, whose guests know of none. */
  'generation-id': z.strictObject({ id: z.uuid(), address: z.int().min(0).optional() }),
  /** With a keyboard where there is a display. */
  i8042: z.strictObject({
    outputPortNext: z.boolean(),
    controller: z
      .strictObject({
        pending: u8,
        config: u8,
        lastWasCommand: z.boolean(),
        output: u8,
        full: z.boolean(),
        released: z.boolean(),
      })
      .optional(),
    keyboard: z
      .strictObject({
        ...{ waiting: z.array(u8).max(512), enabled: z.boolean(), command: u8, last: u8 },
        /** How a key that is held repeats; absent: as at the start. */
        repeat: u8.optional(),
      })
      .optional(),
  }),
  'reset-control': z.strictObject({ value: u8 }),
  'system-control-a': z.strictObject({ value: u8 }),
  'fw-cfg': z.strictObject({ key: u16, position: u32, dmaHigh: u32 }),
  /** Struct RAMFBCfg as firmware wrote it. */
  ramfb: z.strictObject({ config: bytes(28) }),
  flash: z.strictObject({ mode: z.enum(['array', 'status', 'program', 'erase']), status: u8 }),
} as const
const chipsetStateSchema = z.strictObject({
  'acpi-pm': chipsetStateSchemas['acpi-pm'].optional(),
  cmos: chipsetStateSchemas.cmos.optional(),
  gpe: chipsetStateSchemas.gpe.optional(),
  'generation-id': chipsetStateSchemas['generation-id'].optional(),
  i8042: chipsetStateSchemas.i8042.optional(),
  'reset-control': chipsetStateSchemas['reset-control'].optional(),
  'system-control-a': chipsetStateSchemas['system-control-a'].optional(),
  'fw-cfg': chipsetStateSchemas['fw-cfg'].optional(),
  ramfb: chipsetStateSchemas.ramfb.optional(),
  flash: chipsetStateSchemas.flash.optional(),
})
export type ChipsetState = z.infer<typeof chipsetStateSchema>

export const msixStateSchema = z.strictObject({
  table: z.array(u32).max(2048 * 4),
  /** Vectors that fired while masked. */
  pending: z.array(u16).max(2048),
})
export type MsixState = z.infer<typeof msixStateSchema>

export const queueStateSchema = z.strictObject({
  size: u16,
  vector: u16,
  enabled: z.boolean(),
  /** Descriptor area, driver area, device area: low and high halves. */
  addresses: z.tuple([u32, u32, u32, u32, u32, u32]),
  nextAvailable: u16,
  nextUsed: u16,
  signalledUsed: u16,
  notifyOff: z.boolean(),
})
export type QueueState = z.infer<typeof queueStateSchema>

/** One evdev event: type, code, value. */
const inputEvent = z.tuple([u16, u16, z.int32()])
/** What every input device keeps. */
const input = {
  /** What the driver last asked the device about itself. */
  select: u8,
  subsel: u8,
  /** Groups of events that wait for the guest. */
  waiting: z.array(z.array(inputEvent).max(16)).max(65_536),
}

const gpuRect = z.strictObject({ x: u32, y: u32, width: u32, height: u32 })
/** Guest pages of a resource: address and length of each piece. */
const gpuBacking = z
  .array(z.tuple([z.int().nonnegative(), z.int().min(1)]))
  .max(256 * 1024)
  .nullable()
const gpuResource = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('2d'),
    id: u32,
    format: u32,
    width: u32,
    height: u32,
    backing: gpuBacking,
    /** The host's copy, deflated, in parts: what checks base64 takes no text of any length. */
    pixels: z.array(bytes(256 * 1024, false)).max(1024),
  }),
  z.strictObject({
    kind: z.literal('blob'),
    id: u32,
    size: z.int().nonnegative(),
    backing: gpuBacking,
  }),
])
const gpuScanout = z.strictObject({
  wantedWidth: u32,
  wantedHeight: u32,
  /** Absent: it shows nothing. */
  shown: z
    .strictObject({
      resourceId: u32,
      rect: gpuRect,
      /** How SET_SCANOUT_BLOB described the picture; absent for a 2D resource. */
      blob: z.strictObject({ format: u32, width: u32, height: u32, stride: u32, offset: u32 }).optional(),
    })
    .optional(),
  cursor: z.strictObject({
    x: z.int32(),
    y: z.int32(),
    hotX: u8,
    hotY: u8,
    /** 64 × 64 pixels of 4 bytes; null: hidden. */
    image: bytes(64 * 64 * 4).nullable(),
  }),
})

const fsNumber = z.int().min(0)

/** What a device keeps beside what its transport keeps, by the device's name. */
export const virtioDeviceStateSchemas = {
  balloon: z.strictObject({ targetPages: u32, actualPages: u32, poison: u32 }),
  block: z.strictObject({ writeBack: z.boolean() }),
  console: z.strictObject({ ready: z.boolean(), guestOpen: z.array(z.boolean()).max(64) }),
  /** A shared folder: the names the guest knows, by bytes as characters, and what it has open. */
  fs: z.strictObject({
    started: z.boolean(),
    nodes: z
      .array(
        z.strictObject({
          id: fsNumber,
          /** 1: the folder; 0: its name is gone. */
          parent: fsNumber,
          name: z.string().max(255),
          lookups: fsNumber,
          /** Its inode in two halves, and its file system. */
          identity: z.tuple([u32, u32, fsNumber]),
        }),
      )
      .max(65_536),
    handles: z
      .array(
        z.strictObject({
          id: fsNumber,
          node: fsNumber,
          isFolder: z.boolean(),
          flags: z.int().min(0).max(0o3777),
        }),
      )
      .max(2048),
  }),
  gpu: z.strictObject({
    eventsRead: u32,
    resources: z.array(gpuResource).max(4096),
    scanouts: z.array(gpuScanout).max(16),
  }),
  /** `down`: the keys that the driver believes to be held, by evdev's codes; LEDs as bits by theirs. */
  keyboard: z.strictObject({ ...input, down: z.array(u16).max(768), leds: u8 }),
  /** Pairs of queues that the driver uses; absent: one. */
  net: z.strictObject({ pairs: z.int().min(1).max(32).optional() }),
  rng: z.strictObject({}),
  /** Connections do not live through it: the guest is told. */
  vsock: z.strictObject({}),
  scsi: z.strictObject({
    drives: z
      .array(
        z.strictObject({
          present: z.boolean(),
          locked: z.boolean(),
          /** Sense key, additional sense code and qualifier of what the drive has yet to report. */
          attention: z.tuple([u8, u8, u8]).nullable(),
          event: u8,
        }),
      )
      .max(16),
  }),
  /** Where the driver believes the pointer to be, -1 for nowhere, and the buttons it believes to be held. */
  tablet: z.strictObject({
    ...input,
    x: z.int().min(-1).max(32767),
    y: z.int().min(-1).max(32767),
    buttons: u8,
  }),
} as const
export type VirtioDeviceName = keyof typeof virtioDeviceStateSchemas
export type VirtioDeviceState<Name extends VirtioDeviceName> = z.infer<
  (typeof virtioDeviceStateSchemas)[Name]
>

export const virtioStateSchema = z
  .strictObject({
    name: z.string().max(32),
    status: u8,
    isr: u8,
    configGeneration: u8,
    configVector: u16,
    deviceFeatureSelect: u32,
    driverFeatureSelect: u32,
    queueSelect: u16,
    driverFeatures: u64,
    queues: z.array(queueStateSchema).max(64),
    /** Of the device itself, while its driver is up. */
    device: z.unknown().optional(),
  })
  .superRefine(({ name, device }, context) => {
    if (device === undefined) return
    if (!Object.hasOwn(virtioDeviceStateSchemas, name)) {
      context.addIssue({ code: 'custom', message: `this program knows no device "${name}"` })
      return
    }
    const parsed = virtioDeviceStateSchemas[name as VirtioDeviceName].safeParse(device)
    if (!parsed.success)
      context.addIssue({ code: 'custom', path: ['device'], message: z.prettifyError(parsed.error) })
  })
export type VirtioState = z.infer<typeof virtioStateSchema>

export const watchdogStateSchema = z.strictObject({
  timer1: u32,
  timer2: u32,
  unlocked: u8,
  interruptPending: z.boolean(),
  timedOut: z.boolean(),
  stage: z.union([z.literal(1), z.literal(2)]),
  /** Absent: it counts nothing. */
  remainingMs: z.number().min(0).max(1e9).optional(),
})
export type WatchdogState = z.infer<typeof watchdogStateSchema>

export const pciFunctionStateSchema = z.strictObject({
  slot: z.int().min(0).max(31),
  /** Absent: 0. */
  function: z.int().min(1).max(7).optional(),
  name: z.string().max(64),
  config: bytes(256),
  msix: msixStateSchema.optional(),
  /** A GPU's, deflated, in parts. */
  frameBuffer: z
    .array(bytes(256 * 1024, false))
    .max(64)
    .optional(),
  /** Registers of the mode that UEFI set. */
  vbe: z.array(u16).length(11).optional(),
  virtio: virtioStateSchema.optional(),
  watchdog: watchdogStateSchema.optional(),
})
export type PciFunctionState = z.infer<typeof pciFunctionStateSchema>

/** What the I/O thread owns. */
export const devicesStateSchema = z.strictObject({
  chipset: chipsetStateSchema,
  pci: z.strictObject({ configAddress: u32, functions: z.array(pciFunctionStateSchema).max(256) }),
  /** Virtio devices over MMIO, in their order; absent: it has them over PCI. */
  mmio: z.array(virtioStateSchema).max(32).optional(),
})
export type DevicesState = z.infer<typeof devicesStateSchema>

export const vmSnapshotSchema = z.strictObject({
  v: z.literal(vmSnapshotVersion),
  /** Milliseconds since the Unix epoch when the machine stood still. */
  savedAt: z.number().min(0),
  /** Tells it from every other snapshot. */
  id: z.uuid().optional(),
  /** `memory` has only the pages that changed since that snapshot, the folder `name` beside this one. */
  base: z
    .strictObject({
      id: z.uuid(),
      name: z
        .string()
        .regex(/^[^/\0]{1,255}$/)
        .refine((name) => name !== '..' && name !== '.'),
    })
    .optional(),
  cpus: z.int().min(1).max(32),
  memoryBytes: z
    .int()
    .min(1)
    .max(2 ** 40),
  /** What stood behind the disks, for whoever keeps them together: the state of the disks is not in here. */
  disks: z
    .array(
      z.strictObject({ path: z.string().max(4096), readOnly: z.boolean(), bytes: z.int().nonnegative() }),
    )
    .max(64),
  kernel: kernelStateSchema,
  vcpus: z.array(vcpuStateSchema).min(1).max(32),
  uart: uartStateSchema,
  devices: devicesStateSchema,
})
export type VmSnapshot = z.infer<typeof vmSnapshotSchema>

/** A document of any version this program reads. The message of a refusal is one line for people. */
export function parseVmSnapshot(
  value: unknown,
): { readonly ok: true; readonly snapshot: VmSnapshot } | { readonly ok: false; readonly error: string } {
  const version = z.object({ v: z.int() }).safeParse(value)
  if (version.success && version.data.v > vmSnapshotVersion) {
    return {
      ok: false,
      error: `it was written by a newer Hearth (version ${version.data.v}, this one reads ${vmSnapshotVersion}): update this host`,
    }
  }
  const parsed = vmSnapshotSchema.safeParse(value)
  if (parsed.success) return { ok: true, snapshot: parsed.data }
  const issue = parsed.error.issues[0]!
  const message = issue.message.split('\n')[0]
  return { ok: false, error: `its "${issue.path.join('.')}" is not right (${message})` }
}
