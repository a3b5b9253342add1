/**
 * One machine from its first to its last instruction. A reset builds a new one over the same RAM (cleared),
 * disks and network: nothing else survives, so the guest always finds the state of a cold start.
 */
import type { VmSnapshot } from '@hearth/shared/vm-snapshot'
import type { VmmCounters } from '@hearth/shared/vmm-control'
import { buildAcpi } from '../acpi/tables.ts'
import { type BootSource, loadGuest } from '../boot/load.ts'
import { buildMpTable } from '../boot/mp-table.ts'
import { guidBytes } from '../chipset/generation-id.ts'
import { Uart, type UartHandle } from '../chipset/uart.ts'
import type { DiskThreadFile } from '../disk/thread-ring.ts'
import type { DisplayHandle } from '../display/handle.ts'
import { type FirmwareImages, shadowBios } from '../firmware/images.ts'
import type { FirmwareMachine } from '../firmware/plug.ts'
import { VariableKeeper } from '../firmware/variable-keeper.ts'
import { virtioDeviceCount } from '../io/devices.ts'
import { abandonMailboxes } from '../io/mailbox.ts'
import { COMMAND_BYTES, type DiskHandle, type NetHandle, type PortHandle } from '../io/worker-protocol.ts'
import { KVM_CAP } from '../kvm/api.ts'
import { type CpuidEntry, guestCpuid, missingFeatures } from '../kvm/cpuid.ts'
import { bootMsrs } from '../kvm/msrs.ts'
import type { Vcpu } from '../kvm/vcpu.ts'
import { cpuidOf, restoreVcpu, type StateShape, saveVcpu, vcpuStateShape } from '../kvm/vcpu-state.ts'
import { openAllStats } from '../kvm/vcpu-stats.ts'
import type { Kvm, Vm } from '../kvm/vm.ts'
import { restoreKernelState, restoreTscRate, saveKernelState, tscTicksOf } from '../kvm/vm-state.ts'
import { DirtyPages, PAGE } from '../memory/dirty-pages.ts'
import { GuestMemory, type GuestRegion } from '../memory/guest-memory.ts'
import type { GuestRam } from '../memory/guest-ram.ts'
import type { RateLimit } from '../rate/token-bucket.ts'
import { hostRefused, usageError } from '../sys/exit-error.ts'
import { check, close, EFD, eventfdCreate } from '../sys/libc.ts'
import { CALM_MS } from '../sys/thrift.ts'
import { allocateControl } from '../vcpu/control.ts'
import type { VcpuEnd } from '../vcpu/run-loop.ts'
import type { ShareHandle } from '../virtio/fs/thread.ts'
import type { VsockOptions } from '../virtio/vsock/vsock.ts'
import type { HvtMachine } from './boot-source.ts'
import { IoThread } from './io-thread.ts'
import {
  EARLY_SCREEN,
  GENERATION_ID,
  IRQ,
  MMIO_OWN_IRQS,
  MP_TABLE,
  memoryMap,
  mmioPlace,
  ROM,
  VIRTIO_MMIO,
} from './layout.ts'
import { type MachineEnd, machineEndOf } from './machine-end.ts'
import { VcpuThreads } from './vcpu-threads.ts'
import type { MachineWorkers } from './workers.ts'

export interface MachineOptions {
  readonly kvm: Kvm
  readonly workers: MachineWorkers
  readonly cpus: number
  readonly ram: GuestRam
  /** Absent: the machine can only be restored. */
  readonly boot?: BootSource | FirmwareBoot | undefined
  readonly disks: readonly DiskHandle[]
  readonly cdroms?: readonly DiskHandle[] | undefined
  readonly transitional?: boolean | undefined
  /** The kernel is a Solo5 unikernel: these are its disks and networks, and it has no others. */
  readonly hvt?: HvtMachine | undefined
  readonly nets: readonly NetHandle[]
  readonly ports: readonly PortHandle[]
  readonly diskThread?: readonly DiskThreadFile[] | undefined
  readonly diskLimit?: RateLimit | undefined
  readonly netLimit?: RateLimit | undefined
  readonly keepMemory?: boolean | undefined
  /** The VM generation ID: a UUID in lower case. */
  readonly generationId: string
  readonly vsock?: VsockOptions | undefined
  readonly shares?: readonly ShareHandle[] | undefined
  /** How virtio devices reach the guest; `announced`: by its command line, too. Absent: over PCI. */
  readonly mmio?: { readonly announced: boolean } | undefined
  /** The guest has a watchdog; see IoWorkerData. */
  readonly watchdog?: { readonly timedOut: boolean } | undefined
  readonly display?: DisplayHandle | undefined
  /** eventfd the serial port writes when it has output or room for input. */
  readonly serialAttentionFd: number
  /** The machine goes on from here instead of booting; `ram` holds what belongs to it. */
  readonly restore?: VmSnapshot | undefined
}

/** What a machine tells of itself for a snapshot; the rest its owner knows. */
export type MachineState = Pick<VmSnapshot, 'savedAt' | 'kernel' | 'vcpus' | 'uart' | 'devices'>
/** The guest's first instructions are firmware's, which finds the rest by itself. */
export interface FirmwareBoot {
  readonly images: FirmwareImages
  readonly machine: FirmwareMachine
}

export interface MachineListener {
  /** At most once; the machine still has to be stopped. */
  ended(end: MachineEnd): void
  panicked(): void
  /** The guest does not reload its watchdog any more. */
  bitten(): void
  warning(text: string): void
}

export class Machine {
  readonly uart: Uart
  private readonly vm: Vm
  private readonly vcpus: Vcpu[]
  private readonly control: SharedArrayBuffer
  private readonly cpus: number
  private readonly shape: StateShape
  private readonly regions: readonly GuestRegion[]
  /** KVM and devices note what they write. */
  private logging = false
  /** What each vCPU was given. */
  private readonly cpuid: CpuidEntry[][] = []
  private readonly fds: number[]
  private readonly threads: VcpuThreads
  private readonly io: IoThread
  private readonly variables: VariableKeeper | undefined
  private readonly listener: MachineListener
  private hasEnded = false
  private ioFailed = false

  /**
   * Builds the machine with its vCPUs waiting. Throws ExitError or BootError when host or files do not allow
   * it; nothing is left behind then.
   */
  static async create(options: MachineOptions, listener: MachineListener): Promise<Machine> {
    const machine = new Machine(options, listener)
    try {
      // The workers load their code meanwhile.
      if (options.restore === undefined) machine.load(options)
      const [, refusal] = await Promise.all([machine.threads.ready(), machine.io.ready])
      if (refusal !== undefined) throw usageError(`the snapshot does not fit this VM: ${refusal}`)
    } catch (error) {
      await machine.stop()
      throw error
    }
    return machine
  }

  private constructor(options: MachineOptions, listener: MachineListener) {
    const { kvm, cpus, ram } = options
    this.listener = listener
    this.cpus = cpus
    this.vm = kvm.createVm()
    this.vm.createInterruptChips()
    this.vm.setMemory(ram.regions)
    this.regions = ram.regions
    const firmware = options.boot && 'images' in options.boot ? options.boot : undefined
    if (firmware) this.setRoms(firmware.images)
    const variables = firmware?.images.variables
    this.variables = variables && new VariableKeeper(variables, (text) => listener.warning(text))
    if (firmware?.images.kind === 'uefi') this.vm.loseLateTicks()
    this.vcpus = Array.from({ length: cpus }, (_, id) => this.vm.createVcpu(id))
    this.control = allocateControl(cpus)
    const eventfd = (): number => check('eventfd', eventfdCreate(0, EFD.CLOEXEC | EFD.NONBLOCK))
    const serialIrqFd = eventfd()
    const busWakeFd = eventfd()
    const commandFd = eventfd()
    // Only a keyboard asks.
    const vcpuStatsFds = options.display && openAllStats(this.vcpus)
    this.fds = [serialIrqFd, busWakeFd, commandFd, ...(vcpuStatsFds ?? [])]
    this.vm.assignIrqfd(serialIrqFd, IRQ.com1)
    const uart: UartHandle = {
      shared: Uart.allocate(),
      irqFd: serialIrqFd,
      attentionFd: options.serialAttentionFd,
    }
    this.uart = new Uart(uart)
    this.shape = vcpuStateShape(kvm.fd)
    // Before any device can raise an interrupt: it would be lost in the state that comes after it.
    if (options.restore !== undefined) this.restore(kvm, options.restore)

    this.io = new IoThread(
      options.workers.io,
      {
        vmFd: this.vm.fd,
        cpus,
        regions: ram.regions,
        lowRam: ram.regions[0]!.size,
        highRam: ram.size - ram.regions[0]!.size,
        control: this.control,
        vcpuStatsFds,
        busWakeFd,
        commands: new SharedArrayBuffer(COMMAND_BYTES),
        commandFd,
        uart,
        disks: options.hvt ? [] : options.disks,
        hvt: options.hvt !== undefined,
        transitional: options.transitional,
        cdroms: options.cdroms,
        nets: options.hvt ? [] : options.nets,
        ports: options.ports,
        diskThread: options.diskThread,
        diskLimit: options.diskLimit,
        netLimit: options.netLimit,
        keepMemory: options.keepMemory,
        display: options.display,
        restore: options.restore?.devices,
        firmware: firmware?.machine,
        generationId: options.generationId,
        watchdog: options.hvt ? undefined : options.watchdog,
        vsock: options.vsock,
        shares: options.hvt ? [] : options.shares,
        mmioDevices: mmioDevicesOf(options),
      },
      (message) => {
        if (message.kind === 'power-off') this.end({ kind: 'power-off' })
        else if (message.kind === 'reset') this.end({ kind: 'reset', detail: message.reason })
        else if (message.kind === 'panic') this.listener.panicked()
        else if (message.kind === 'watchdog') this.listener.bitten()
        else if (message.kind === 'warning') this.listener.warning(message.text)
        else if (message.kind === 'variables-written') this.variables?.changed()
      },
      (error) => {
        this.ioFailed = true
        this.threadFailed('the I/O thread', error)
      },
    )
    this.threads = new VcpuThreads(
      options.workers.vcpus,
      this.vcpus,
      {
        ...{ control: this.control, busWakeFd, uart },
        hvt: options.hvt && { regions: ram.regions, devices: options.hvt.devices },
      },
      {
        ended: (cpu, end) => this.vcpuEnded(cpu, end),
        failed: (cpu, error) => this.threadFailed(`vCPU ${cpu}'s thread`, error),
      },
    )
  }

  private setRoms({ code, variables }: FirmwareImages): void {
    this.vm.setRom(ROM.code, code)
    if (variables) this.vm.setRom(ROM.variables, variables)
  }

  private load(options: MachineOptions): void {
    const { kvm, cpus, ram, boot, hvt, display, generationId } = options
    if (boot === undefined) throw usageError('--kernel is missing: give the kernel to boot')
    const memory = new GuestMemory(ram.regions)
    const supported = kvm.supportedCpuid()
    const tscDeadlineTimer = kvm.extension(KVM_CAP.TSC_DEADLINE_TIMER) > 0
    for (const vcpu of this.vcpus) {
      const cpuid = guestCpuid(supported, { cpus, cpu: vcpu.id, tscDeadlineTimer })
      this.cpuid.push(cpuid)
      vcpu.setCpuid(cpuid)
    }
    if ('images' in boot) {
      // The processors are as after a reset: the first one's next instruction is the firmware's first.
      shadowBios(boot.images, memory)
      return
    }
    const mmioDevices = mmioDevicesOf(options)
    const acpi = buildAcpi(cpus, mmioDevices, display !== undefined)
    memory.write(acpi.rsdp, acpi.bytes)
    memory.write(GENERATION_ID, guidBytes(generationId))
    memory.write(MP_TABLE.start, buildMpTable(cpus))
    const announced = options.mmio?.announced ? mmioCommandLine(mmioDevices ?? 0) : ''
    const entry = loadGuest(
      { ...boot, commandLine: `${boot.commandLine}${announced}` },
      {
        memory,
        ramBytes: ram.size,
        memoryMap: memoryMap(ram.size),
        rsdp: acpi.rsdp,
        // It lies behind the display's PCI function.
        screen: display && !options.mmio ? EARLY_SCREEN : undefined,
        hvt: hvt && { devices: hvt.told, tscHertz: this.vcpus[0]!.tscKhz() * 1000 },
      },
    )
    for (const vcpu of this.vcpus) {
      vcpu.setMsrs(bootMsrs)
      vcpu.setLocalInterrupts()
    }
    this.vcpus[0]!.setEntryState(entry)
  }

  private restore(kvm: Kvm, { savedAt, kernel, vcpus, uart }: VmSnapshot): void {
    const away = BigInt(Math.max(0, Math.round((Date.now() - savedAt) * 1e6)))
    const missing = missingFeatures(cpuidOf(vcpus[0]!), kvm.supportedCpuid())
    if (missing !== undefined) {
      throw hostRefused(
        `this host's CPU lacks what the snapshot's has (${missing}): restore it on the host it was made on`,
      )
    }
    try {
      restoreTscRate(this.vcpus, kernel.tscKhz)
      for (const [i, vcpu] of this.vcpus.entries()) {
        const state = vcpus[i]!
        this.cpuid.push(cpuidOf(state))
        restoreVcpu(vcpu, state, this.shape, tscTicksOf(kernel.tscKhz, away))
      }
      restoreKernelState(this.vm.fd, kernel, away)
    } catch (error) {
      throw hostRefused(`KVM does not take the snapshot's state: ${(error as Error).message}`, error)
    }
    this.uart.restore(uart)
  }

  /**
   * The whole state, of a paused machine. `withMemory` runs while nothing touches guest memory, and is told which pages
   * changed since the last save with `track`; afterwards the
   * devices go on. Rejects with a line for people when a device cannot be saved.
   */
  async save(
    withMemory: (changed: DirtyPages | undefined) => Promise<void>,
    { track = false } = {},
  ): Promise<MachineState> {
    try {
      const { state: devices, written } = await this.io.freeze(track)
      const changed = this.takeChanged(written)
      if (track && !this.logging) this.vm.startDirtyLog(this.regions)
      this.logging ||= track
      const savedAt = Date.now()
      const kernel = saveKernelState(this.vm.fd, this.vcpus[0]!)
      const vcpus = this.vcpus.map((vcpu, i) => saveVcpu(vcpu, this.cpuid[i]!, this.shape))
      const uart = this.uart.save()
      await withMemory(changed)
      return { savedAt, kernel, vcpus, uart, devices }
    } finally {
      this.io.thaw()
    }
  }

  /** What guest and devices wrote since the last `save` with `track`; undefined when there was none. */
  private takeChanged(written: Uint8Array | undefined): DirtyPages | undefined {
    if (!this.logging) return undefined
    const changed = new DirtyPages(this.regions)
    let page = 0
    for (const [slot, region] of this.regions.entries()) {
      changed.add(this.vm.takeDirtyLog(slot, region), page)
      page += region.size / PAGE
    }
    if (written === undefined) return undefined
    changed.add(written)
    return changed
  }

  run(): void {
    this.threads.run()
  }

  /** Its threads give back what the start left behind, or work since. */
  async tidy(): Promise<void> {
    if (this.hasEnded) return
    this.io.tidy()
    await this.threads.tidy()
    await new Promise((resolve) => setTimeout(resolve, CALM_MS).unref())
    if (!this.hasEnded) this.io.tidy()
  }

  async pause(): Promise<void> {
    this.io.setPaused(true)
    await this.threads.pause()
  }

  resume(): void {
    this.io.setPaused(false)
    this.threads.resume()
  }

  pressPowerButton(): void {
    this.io.pressPowerButton()
  }

  counters(): Promise<VmmCounters> {
    return this.io.counters()
  }

  /** Asks the guest for so many bytes of its memory. */
  setBalloon(bytes: number): void {
    this.io.setBalloon(bytes)
  }

  /** Takes every thread out of the machine and gives everything back that belongs to this machine alone. */
  async stop(): Promise<void> {
    this.hasEnded = true
    await this.threads.stop(() => {
      if (this.ioFailed) abandonMailboxes(this.control, this.cpus)
    })
    await this.io.stop()
    await this.variables?.settled()
    for (const vcpu of this.vcpus) vcpu.close()
    for (const fd of this.fds) close(fd)
    this.vm.close()
  }

  private vcpuEnded(cpu: number, end: VcpuEnd): void {
    if (end.kind !== 'stopped') this.end(machineEndOf(cpu, end, this.vcpus[cpu]!.describe()))
  }

  private threadFailed(which: string, error: Error): void {
    if (error.stack !== undefined) this.listener.warning(error.stack)
    this.end({ kind: 'failed', detail: `${which} failed: ${error.message}` })
  }

  private end(end: MachineEnd): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.listener.ended(end)
  }
}

/** Undefined: they are over PCI. */
function mmioDevicesOf(options: MachineOptions): number | undefined {
  return options.mmio === undefined || options.hvt ? undefined : virtioDeviceCount(options)
}

/** As Linux's CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES, OSv and others take it: size@address:irq. */
function mmioCommandLine(devices: number): string {
  if (devices > MMIO_OWN_IRQS) {
    throw usageError(
      `--virtio mmio,cmdline announces at most ${MMIO_OWN_IRQS} devices, and this VM has ${devices}: leave disks or networks away, or let ACPI tell of them`,
    )
  }
  return Array.from({ length: devices }, (_, index) => {
    const { address, irq } = mmioPlace(index)
    return ` virtio_mmio.device=0x${VIRTIO_MMIO.stride.toString(16)}@0x${address.toString(16)}:${irq}`
  }).join('')
}
