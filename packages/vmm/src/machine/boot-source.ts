/** Opens what the machine starts with: a kernel, or firmware for what is on its disks. */
import type { VmSnapshot } from '@hearth/shared/vm-snapshot'
import type { HvtDevices } from '../boot/hvt.ts'
import { BootError, openImageFile } from '../boot/image-file.ts'
import { type BootSource, checkProtocol, detectKernel } from '../boot/load.ts'
import type { RunOptions } from '../cli/run-options.ts'
import { RawFile } from '../disk/raw-file.ts'
import { bootPaths } from '../firmware/boot-order.ts'
import { DISK_HEAD_BYTES, diskFirmware } from '../firmware/detect.ts'
import { openFirmwareLog } from '../firmware/firmware-log.ts'
import { openFirmware, readVideoRom } from '../firmware/images.ts'
import type { HvtDevice } from '../hvt/hypercalls.ts'
import type { DiskHandle, NetHandle } from '../io/worker-protocol.ts'
import { Q35_HOST_BRIDGE } from '../pci/q35-host-bridge.ts'
import { usageError } from '../sys/exit-error.ts'
import { readDiskHead } from './backends.ts'
import { firmwareLowRamEnd, LOW_RAM_END } from './layout.ts'
import type { FirmwareBoot } from './machine.ts'

/** A unikernel's devices: what serves them, and what its manifest is told. */
export interface HvtMachine {
  readonly devices: readonly (HvtDevice | undefined)[]
  readonly told: HvtDevices
}

/** Undefined: there is none. Throws ExitError when the files cannot be booted as asked. */
export function openKernel(options: RunOptions): BootSource | undefined {
  const { kernel, initrd, commandLine, boot, modules } = options
  if (kernel === undefined) return undefined
  const source: BootSource = {
    kernel: openImageFile(kernel, '--kernel'),
    initrd: initrd === undefined ? undefined : openImageFile(initrd, '--initrd'),
    commandLine,
    protocol: boot === 'linux' || boot === 'pvh' || boot === 'multiboot' || boot === 'hvt' ? boot : undefined,
    modules: modules?.map((text) => ({ file: openImageFile(text.split(' ')[0]!, '--module'), text })),
  }
  try {
    const found = detectKernel(source.kernel, source.protocol)
    if (found.kind !== 'multiboot' && source.modules !== undefined) {
      throw usageError(`--module is for Multiboot kernels, and ${kernel} is none`)
    }
    checkProtocol(source, found)
    if (found.kind === 'hvt') checkHvtOptions(options)
  } catch (error) {
    throw error instanceof BootError ? usageError(error.message) : error
  }
  return source
}

/** What hangs on a PC's buses would be left out without a word. */
function checkHvtOptions({ initrd, cdroms, shares, vsock, watchdog, display, mmio }: RunOptions): void {
  const given = Object.entries({
    ...{ initrd, cdrom: cdroms?.[0], share: shares?.[0], vsock, watchdog, display, virtio: mmio },
  }).find(([, value]) => value !== undefined)
  if (given) throw usageError(`an hvt unikernel sees no PC, and nothing of --${given[0]}: leave it away`)
}

export const isMultiboot = (source: BootSource | undefined): boolean =>
  source !== undefined && detectKernel(source.kernel, source.protocol).kind === 'multiboot'

/** What an `hvt` unikernel has behind its manifest; undefined when the kernel is none. Throws ExitError. */
export function openHvt(
  source: BootSource | undefined,
  disks: readonly DiskHandle[],
  nets: readonly NetHandle[],
  cpus: number,
): HvtMachine | undefined {
  if (source === undefined) return undefined
  const found = detectKernel(source.kernel, source.protocol)
  if (found.kind !== 'hvt') return undefined
  if (cpus > 1) throw usageError('an hvt unikernel runs on one processor: leave --cpus away')
  const blocks = disks.map((disk) => {
    if (disk.format === 'qcow2')
      throw usageError(`--disk ${disk.path}: an hvt unikernel takes raw disks only`)
    const file = new RawFile(disk.fd, { readOnly: disk.readOnly, name: disk.path, borrowed: true })
    return { kind: 'block', fd: disk.fd, bytes: file.sizeBytes, readOnly: disk.readOnly } as const
  })
  const ports = nets.map((net) => {
    if (net.kind !== 'tap') throw usageError('an hvt unikernel takes networks of the kind tap only')
    return { kind: 'net', fd: net.fd } as const
  })
  const toldNets = nets.map(({ mac, mtu }) => ({ mac, mtu: mtu! }))
  const next = { block: 0, net: 0 }
  const devices = found.hvt.entries.map((kind) => {
    if (kind === 'block') return blocks[next.block++]
    return kind === 'net' ? ports[next.net++] : undefined
  })
  return { devices, told: { disks: blocks, nets: toldNets } }
}

/** `auto` looks at the first disk. Throws ExitError. */
export function openFirmwareBoot(
  options: RunOptions,
  disks: readonly DiskHandle[],
  cdroms: number,
): FirmwareBoot {
  const { boot, uefiVariables, firmwareLog } = options
  const kind =
    boot === 'bios' || boot === 'uefi'
      ? boot
      : diskFirmware(disks[0] ? readDiskHead(disks[0], DISK_HEAD_BYTES) : new Uint8Array(0))
  const images = openFirmware({ kind, variablesFile: kind === 'uefi' ? uefiVariables : undefined })
  const bootOrder = bootPaths(options.bootOrder, disks.length, cdroms)
  const logFd = openFirmwareLog(firmwareLog)
  // UEFI would tell the kernel of it as a second screen beside the GPU's own, and drives virtio-gpu itself.
  const videoRom = kind === 'bios' && options.display !== undefined ? readVideoRom() : undefined
  return { images, machine: { kind, bootOrder, logFd, variables: images.variables, videoRom } }
}

/** Whether the machine of a snapshot was started by firmware, and so needs its parts again. */
export const hadFirmware = (snapshot: VmSnapshot): boolean =>
  snapshot.devices.pci.functions.some(({ name }) => name === Q35_HOST_BRIDGE)

export const lowRamEnd = (boot: BootSource | FirmwareBoot | undefined, memoryBytes: number): number =>
  boot && 'images' in boot ? firmwareLowRamEnd(memoryBytes) : LOW_RAM_END
