/** The monitors that are measured, each as the command that starts one guest. */
import { vmmEntry } from '../build/programs.ts'
import type { Qemu } from '../lab/qemu.ts'

/** What every monitor is given; paths are the lab's. */
export interface GuestParts {
  readonly kernel: string
  readonly initrd?: string | undefined
  readonly commandLine?: string | undefined
  readonly memoryMib: number
  readonly disk?: string | undefined
  readonly tap?: string | undefined
  /** Tells its process from others. */
  readonly name: string
}

export interface BenchMonitor {
  readonly name: string
  /** Of the mapping that is the guest's RAM, in /proc/PID/smaps. */
  readonly ramMapping: string
  /** How long after work it has given back what it gives back. */
  readonly settlesMs: number
  /** The program, its own arguments, and what tells it of the guest. */
  command(parts: GuestParts): string[]
}

export const hearth: BenchMonitor = {
  name: 'hearth',
  ramMapping: 'memfd:guest-ram',
  // Its threads look every 32 s (sys/thrift.ts).
  settlesMs: 40_000,
  command: (parts) => ['node', vmmEntry, ...hearthArguments(parts)],
}

/** One that is told of its guest later, on standard input. */
export const hearthWaiting: readonly string[] = ['node', vmmEntry, 'wait']

/** What `hearth-vmm` is told of a guest. */
export const hearthArguments = (parts: GuestParts): string[] => {
  const { kernel, initrd, commandLine, memoryMib, disk, tap, name } = parts
  return [
    ...['run', '--kernel', kernel, '--boot', 'pvh', '--memory', `${memoryMib}M`, '--name', name],
    ...(initrd === undefined ? [] : ['--initrd', initrd]),
    ...(commandLine === undefined ? [] : ['--cmdline', commandLine]),
    ...(disk === undefined ? [] : ['--disk', disk]),
    ...(tap === undefined ? [] : ['--net', `tap:${tap}`]),
  ]
}

/** The same devices over PCI, served in QEMU's own process (no vhost), with the host's page cache. */
function qemuMonitor(name: string, machine: string, qemu: Qemu): BenchMonitor {
  return {
    name,
    ramMapping: 'memfd:memory-backend',
    settlesMs: 0,
    command: ({ kernel, initrd, commandLine, memoryMib, disk, tap, name: guest }) => [
      ...['env', ...Object.entries(qemu.env).map(([key, value]) => `${key}=${value}`), ...qemu.command],
      ...['-M', `${machine},accel=kvm,memory-backend=ram`, '-cpu', 'host', '-smp', '1', '-nodefaults'],
      ...['-object', `memory-backend-memfd,id=ram,size=${memoryMib}M,share=on`, '-m', `${memoryMib}M`],
      ...['-kernel', kernel, '-name', guest],
      ...(initrd === undefined ? [] : ['-initrd', initrd]),
      ...(commandLine === undefined ? [] : ['-append', commandLine]),
      ...['-display', 'none', '-serial', 'stdio', '-no-reboot', '-device', 'virtio-rng-pci'],
      ...(disk === undefined
        ? []
        : [
            '-drive',
            `file=${disk},format=raw,if=none,id=disk,cache=writeback,aio=io_uring`,
            '-device',
            'virtio-blk-pci,drive=disk',
          ]),
      ...(tap === undefined
        ? []
        : [
            '-netdev',
            `tap,id=net,ifname=${tap},script=no,downscript=no,vhost=off`,
            '-device',
            'virtio-net-pci,netdev=net,romfile=',
          ]),
    ],
  }
}

export const benchMonitors = (qemu: Qemu): readonly BenchMonitor[] => [
  hearth,
  qemuMonitor('qemu-microvm', 'microvm,pcie=on,rtc=on', qemu),
  qemuMonitor('qemu-q35', 'q35', qemu),
]
