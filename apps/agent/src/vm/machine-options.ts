/** A VM as its monitor is told it: what its specification asks for, with the files and sockets it has here. */
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { NetOption, RunOptions } from '@hearth/vmm'
import { guestAgentPort } from '../guest/guest-agent.ts'
import type { Share } from '../host/shared-folders.ts'
import type { VmFiles, VmRecord } from '../store/vm-store.ts'
import type { VmSockets } from '../vmm/launch.ts'
import { bootOptions } from './boot-options.ts'
import { limitsOf } from './limits.ts'

export function machineOptions(vm: {
  spec: VmSpec
  boot: NonNullable<VmRecord['boot']>
  files: VmFiles
  sockets: VmSockets
  volumePath: (volumeUid: string) => string
  shares: readonly Share[]
  net: NetOption
  /** A suspended machine's folder, to go on from. */
  restore: string | undefined
}): RunOptions {
  const { spec, boot, files, sockets, volumePath, shares, net, restore } = vm
  return {
    ...bootOptions(spec, boot, files),
    restore,
    snapshotSlot: files.snapshotSlot,
    memoryBytes: spec.memoryBytes,
    cpus: spec.cpus,
    disks: [
      ...(boot.disk ? [{ path: files.disk, readOnly: false }] : []),
      ...(boot.seed ? [{ path: files.seed, readOnly: true }] : []),
      ...(spec.volumes ?? []).map(({ volumeUid, serial }) => ({
        path: volumePath(volumeUid),
        readOnly: false,
        serial,
      })),
    ],
    ...(boot.disc ? { cdroms: [files.disc] } : {}),
    nets: [net],
    serial: { kind: 'unix', path: sockets.serial, scrollbackLine: true },
    serialLog: files.serialLog,
    display: spec.display && {
      ...{ path: sockets.display, layout: spec.display.keyboard },
      ...(spec.display.screens === undefined ? {} : { screens: spec.display.screens }),
    },
    ...limitsOf(spec),
    ports: [{ name: guestAgentPort, path: sockets.guestAgent }],
    control: sockets.control,
    watchdog: spec.watchdog,
    ...(shares.length > 0 ? { shares } : {}),
    noReboot: false,
  }
}
