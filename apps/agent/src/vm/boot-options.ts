/** How a VM is started: by the kernel beside its disk, or by firmware that reads the disk. */
import { HearthError } from '@hearth/shared/errors'
import type { VmSpec } from '@hearth/shared/vm-spec'
import type { RunOptions } from '@hearth/vmm'
import type { VmFiles, VmRecord } from '../store/vm-store.ts'

type Boot = NonNullable<VmRecord['boot']>

export const startsDirectly = (spec: VmSpec, boot: Pick<Boot, 'kernel'>): boolean =>
  spec.boot === undefined ? boot.kernel : spec.boot === 'direct'

/** Refuses a way of starting for which something is missing. */
export function requireBoot(spec: VmSpec, boot: Pick<Boot, 'kernel' | 'disk' | 'disc'>): void {
  if (spec.boot === 'direct' && !boot.kernel)
    throw new HearthError(
      'invalid_input',
      'This VM has no kernel beside its disk: it starts by firmware, BIOS or UEFI.',
    )
  if (!startsDirectly(spec, boot) && !boot.disk && !boot.disc)
    throw new HearthError('invalid_input', 'This VM has no disk that firmware could start.')
}

export function bootOptions(
  spec: VmSpec,
  boot: Boot,
  files: VmFiles,
): Pick<RunOptions, 'kernel' | 'initrd' | 'commandLine' | 'boot' | 'uefiVariables'> {
  if (startsDirectly(spec, boot)) {
    // Without cloud-init the command line is how a guest learns its name.
    return {
      kernel: files.kernel,
      initrd: files.initrd,
      commandLine: `${boot.cmdline} hearth.name=${spec.name}`,
    }
  }
  const firmware = spec.boot === 'bios' || spec.boot === 'uefi' ? spec.boot : 'auto'
  return {
    boot: firmware,
    commandLine: '',
    // Kept beside the disk: without them a VM forgets at each start what its system told its firmware.
    ...(firmware === 'bios' ? {} : { uefiVariables: files.uefiVariables }),
  }
}
