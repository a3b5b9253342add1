/** Plugs the VM's PCI devices: one entropy source, one memory balloon, its networks, its disks, and a display if it has one. */

import type { BusDevice } from '../bus/device.ts'
import type { MachineEvents } from '../chipset/events.ts'
import type { DiskBackend } from '../disk/backend.ts'
import { DiskChanges } from '../disk/changes.ts'
import { qcow2Disk } from '../disk/qcow2/chain.ts'
import { RawDisk } from '../disk/raw.ts'
import { RawFile } from '../disk/raw-file.ts'
import { DisplayDevices, type DisplayMachine } from '../display/devices.ts'
import type { FrameBuffer, PlaceFrameBuffer } from '../display/frame-buffer.ts'
import { type FirmwareParts, plugFirmware } from '../firmware/plug.ts'
import { ECAM, PCI_FUNCTION, PCI_MMIO, PCI_SLOT, PORT, queuesFor } from '../machine/layout.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import type { NetBackend } from '../net/backend.ts'
import { PasstBackend } from '../net/passt.ts'
import { TapBackend } from '../net/tap.ts'
import { ECAM_BYTES, PciBus } from '../pci/bus.ts'
import { type RateLimit, RateLimiter } from '../rate/token-bucket.ts'
import { idleSinceNow, vcpuActivities } from '../vcpu/idleness.ts'
import { VDAGENT_PORT } from '../vdagent/protocol.ts'
import { BlockDevice } from '../virtio/block.ts'
import { ConsoleDevice, type PortOptions } from '../virtio/console/console.ts'
import { PortSocket } from '../virtio/console/port-socket.ts'
import type { VirtioDevice } from '../virtio/device.ts'
import { FsDevice } from '../virtio/fs/fs.ts'
import { ThreadServer } from '../virtio/fs/thread-server.ts'
import type { EarlyKeyboard } from '../virtio/input/keyboard.ts'
import { NetDevice } from '../virtio/net.ts'
import type { Traffic } from '../virtio/net-pair.ts'
import { VirtioPciFunction } from '../virtio/pci-transport.ts'
import { RngDevice } from '../virtio/rng.ts'
import { ScsiDevice } from '../virtio/scsi/scsi.ts'
import type { VirtioTransport } from '../virtio/transport.ts'
import { VsockDevice } from '../virtio/vsock/vsock.ts'
import type { I6300esb } from '../watchdog/i6300esb.ts'
import { MmioBus } from './mmio-bus.ts'
import type { Platform } from './platform.ts'
import type { DiskHandle, IoWorkerData, NetHandle } from './worker-protocol.ts'

export interface MachineParts extends FirmwareParts {
  readonly resetControl: BusDevice
  readonly events: MachineEvents
  readonly log: (text: string) => void
  readonly memory: GuestMemory
  readonly balloon: VirtioDevice
  readonly watchdog: I6300esb | undefined
  /** Beside the display's own. */
  readonly earlyKeyboard: EarlyKeyboard | undefined
  readonly plugged: (transport: VirtioTransport) => void
  readonly traffic: Traffic
  /** Puts the frame buffer before a guest that has one. */
  readonly placeFrameBuffer: PlaceFrameBuffer
}

export interface MachineBuses {
  readonly pci: PciBus
  /** Where virtio devices are over MMIO. */
  readonly mmio: MmioBus | undefined
}

/** How many virtio devices `plugDevices` plugs: the tables that tell the guest of those over MMIO are made before. */
export function virtioDeviceCount(
  data: Pick<IoWorkerData, 'nets' | 'ports' | 'disks' | 'cdroms' | 'display' | 'vsock' | 'shares'>,
): number {
  const always = ['rng', 'balloon'].length
  const screen = data.display ? ['gpu', 'keyboard', 'tablet'].length : 0
  const console = data.ports.length > 0 || data.display ? 1 : 0
  const discs = data.cdroms && data.cdroms.length > 0 ? 1 : 0
  const lists = data.nets.length + data.disks.length + (data.shares?.length ?? 0)
  return always + lists + console + discs + screen + (data.vsock ? 1 : 0)
}

/**
 * Builds bus 0 with everything on it. Descriptors stay the main thread's: a reset builds devices anew over the
 * same ones. `log` gets a line when a guest's driver breaks a device, `plugged` each device as it comes.
 */
export function plugDevices(platform: Platform, data: IoWorkerData, machine: MachineParts): MachineBuses {
  const { log, plugged } = machine
  const { memory } = machine
  const display =
    data.display && new DisplayDevices(data.display, platform.loop, displayMachine(data, machine))
  const bus =
    data.firmware === undefined
      ? directBus(platform, machine.resetControl, data.transitional)
      : plugFirmware(data.firmware, { ...machine, ...data, platform, memory, screen: display?.early })
  platform.pio.add(PORT.pciConfig, 8, bus.configPorts)
  const mmio = data.mmioDevices === undefined ? undefined : new MmioBus(platform, memory, log)
  const plug = (slot: number, device: VirtioDevice, number = 0, frameBuffer?: FrameBuffer): void => {
    if (mmio) {
      plugged(mmio.plug(device))
      return
    }
    const transitional = data.transitional === true
    const fn = new VirtioPciFunction(device, { memory, log, transitional, frameBuffer })
    bus.plug(slot, fn, number)
    plugged(fn.transport)
  }

  plug(PCI_SLOT.rng, new RngDevice())
  // Function 0, where there is no entropy source.
  const number = mmio ? 0 : PCI_FUNCTION.watchdog
  if (machine.watchdog) bus.plug(PCI_SLOT.rng, machine.watchdog, number)
  if (data.vsock) plug(PCI_SLOT.rng, new VsockDevice(data.vsock, log), PCI_FUNCTION.vsock)
  for (const [i, { tag, channel }] of (data.shares ?? []).entries()) {
    plug(PCI_SLOT.rng, new FsDevice(tag, new ThreadServer(channel)), PCI_FUNCTION.firstShare + i)
  }
  plug(PCI_SLOT.balloon, machine.balloon)
  for (const [i, net] of data.nets.entries()) {
    const slot = PCI_SLOT.firstNet + i
    plug(slot, netDevice(net, savedQueues(data, slot), data.netLimit, machine))
  }
  const ports: PortOptions[] = data.ports.map(({ name, listenFd }) => ({
    name,
    end: new PortSocket(listenFd),
  }))
  // Last: the numbers of the others do not depend on whether there is a screen.
  if (display !== undefined) ports.push({ name: VDAGENT_PORT, end: display.agentPort })
  if (ports.length > 0) plug(PCI_SLOT.console, new ConsoleDevice(ports))
  for (const [i, disk] of data.disks.entries()) {
    const slot = PCI_SLOT.firstDisk + i
    const queues = savedQueues(data, slot) ?? queuesFor(data.cpus)
    plug(slot, blockDevice(disk, i, queues, data.diskLimit, log))
  }
  if (data.cdroms !== undefined && data.cdroms.length > 0) {
    plug(PCI_SLOT.scsi, new ScsiDevice(data.cdroms.map((disc) => diskBackend(disc, log))))
  }
  for (const [i, device] of display?.all.entries() ?? []) {
    plug(PCI_SLOT.firstDisplay + i, device, 0, device === display?.gpu ? display.frameBuffer : undefined)
  }
  if (mmio && mmio.count !== data.mmioDevices) {
    throw new RangeError(`${mmio.count} devices over MMIO where the guest is told of ${data.mmioDevices}`)
  }
  return { pci: bus, mmio }
}

function displayMachine(
  { firmware, vcpuStatsFds, control }: IoWorkerData,
  { placeFrameBuffer, earlyKeyboard }: MachineParts,
): DisplayMachine {
  const vcpus = vcpuStatsFds && vcpuActivities(vcpuStatsFds, control)
  const modes = firmware?.kind === 'uefi' ? 'vbe' : 'fixed'
  return {
    // A BIOS has ramfb instead.
    frameBuffer: firmware?.kind === 'bios' ? undefined : { place: placeFrameBuffer, modes },
    earlyKeyboard,
    idleSince: vcpus && idleSinceNow(vcpus),
  }
}

/** Bus 0 of a machine without firmware: everything has its address from the start. */
function directBus(platform: Platform, resetControl: BusDevice, transitional = false): PciBus {
  const bus = new PciBus(platform, {
    mmio32Start: PCI_MMIO.start,
    mmio32End: PCI_MMIO.end,
    ecamStart: ECAM.start,
    resetControl,
    // What drives legacy devices may know no better.
    pic: transitional,
  })
  platform.mmio.add(ECAM.start, ECAM_BYTES, bus.ecam)
  return bus
}

const limiter = (limit: RateLimit | undefined): RateLimiter | undefined => limit && new RateLimiter(limit)

/** How many the guest's driver found, where the machine goes on from a snapshot: there can be no others now. */
const savedQueues = ({ restore }: IoWorkerData, slot: number): number | undefined =>
  restore?.pci.functions.find((saved) => saved.slot === slot)?.virtio?.queues.length

function netDevice(
  net: NetHandle,
  savedCount: number | undefined,
  limit: RateLimit | undefined,
  { traffic, log }: Pick<MachineParts, 'traffic' | 'log'>,
): NetDevice {
  const borrowed = { borrowed: true }
  const fds = [net.fd, ...(net.moreFds ?? [])]
  const pairs = savedCount === undefined ? fds.length : Math.max(1, Math.floor(savedCount / 2))
  const backends: NetBackend[] =
    net.kind === 'tap' ? fds.map((fd) => new TapBackend(fd, borrowed)) : [new PasstBackend(net.fd, borrowed)]
  // Packets of a queue that nobody reads would be lost.
  for (const backend of backends.slice(pairs)) backend.attach?.(false)
  return new NetDevice(backends.slice(0, pairs), {
    mac: net.mac,
    log: (text) => log(`${net.kind} ${net.target}: ${text}`),
    txLimiter: limiter(limit),
    rxLimiter: limiter(limit),
    traffic,
  })
}

function blockDevice(
  disk: DiskHandle,
  index: number,
  queues: number,
  limit: RateLimit | undefined,
  log: (text: string) => void,
): BlockDevice {
  const backend = diskBackend(disk, log)
  return new BlockDevice(backend, {
    readOnly: disk.readOnly,
    changes: disk.changes && new DiskChanges(disk.changes, disk.sizeBytes ?? backend.sizeBytes),
    serial: disk.serial ?? `disk${index}`,
    writeThrough: disk.writeThrough,
    queues,
    limiter: limiter(limit),
  })
}

function diskBackend(disk: DiskHandle, log: (text: string) => void): DiskBackend {
  if (disk.format === 'qcow2') {
    const { path, readOnly, fd, directFd, baseFds = [] } = disk
    const report = (text: string): void => log(`disk ${path}: ${text}`)
    return qcow2Disk({ path, readOnly, fd, directFd, baseFds }, report, { keepRings: true })
  }
  const { readOnly, path: name, directFd } = disk
  return new RawDisk(new RawFile(disk.fd, { readOnly, name, borrowed: true, directFd }))
}
