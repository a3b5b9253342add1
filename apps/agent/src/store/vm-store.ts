/**
 * One folder a VM, `<state>/vms/<vmUid>/`: its specification as last accepted, what the agent must remember of
 * it across a restart, its disk and its logs. Nothing but this module builds paths from a VM's uid.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { vmUidSchema } from '@hearth/shared/names'
import { parseVmSpec, type VmSpec } from '@hearth/shared/vm-spec'
import { z } from 'zod'
import { processIdentitySchema } from '../host/process-identity.ts'
import { readJson, removeLeftovers, syncFolder, temporaryPrefix, writeJsonAtomic } from './atomic-file.ts'

export const vmRecordSchema = z.object({
  v: z.literal(1),
  /** `creating` and `deleting` folders belong to an action under way; the journal says which. */
  phase: z.enum(['creating', 'ready', 'deleting']),
  /** Whether it should run: written before a start, cleared when the guest or a person ends it. */
  desired: z.enum(['running', 'stopped']),
  /** The monitor last started for it, and on which boot of the box. */
  process: processIdentitySchema.nullable(),
  /** The passt process beside it; null with NAT. */
  passt: processIdentitySchema.nullable(),
  /** How the last process ended. */
  exit: z
    .object({ crashed: z.boolean(), reason: z.string(), at: z.iso.datetime({ precision: 3 }) })
    .nullable(),
  /** It was ended because its host, or Hearth, went down; the next agent starts it again if it starts at boot. */
  downWithHost: z.boolean().optional(),
  /** What an agent did to its guest to hold it still for a moment, and has not undone yet; frozen is paused as well. */
  held: z.enum(['paused', 'frozen']).optional(),
  panicked: z.boolean(),
  /** When its guest last did not reload its watchdog in this run. */
  watchdogAt: z.iso.datetime({ precision: 3 }).optional(),
  /** Whether the monitor last started for it has a screen; the specification says whether the next one will. */
  display: z.boolean().optional(),
  /** The user its monitor runs as, from its first jailed start on. */
  jailUid: z.int().positive().optional(),
  /** What its guest tells twins of itself apart by; another one whenever its disk becomes that of an older moment. From its first start on. */
  generationId: z.uuid().optional(),
  /** The fixed IPv4 address its MAC is given by DHCP. */
  address: z.ipv4().nullable(),
  /** What it boots, fixed at creation: a rebuilt image must not change the kernel under an existing disk. */
  boot: z
    .object({
      cmdline: z.string(),
      recipeHash: z.string(),
      disk: z.boolean(),
      seed: z.boolean(),
      /** Whether a kernel lies beside the disk; without one, only firmware can start it. */
      kernel: z.boolean().default(true),
      /** Whether a disc lies in its CD-ROM drive. */
      disc: z.boolean().default(false),
    })
    .nullable(),
})
export type VmRecord = z.infer<typeof vmRecordSchema>

export interface VmFiles {
  folder: string
  spec: string
  record: string
  disk: string
  seed: string
  /** The ISO image in its CD-ROM drive. */
  disc: string
  kernel: string
  initrd: string
  /** UEFI's variables; there from its first start by UEFI on. */
  uefiVariables: string
  serialLog: string
  vmmLog: string
  passtLog: string
  /** Where its monitor writes a snapshot: nothing anybody may rely on. */
  snapshotSlot: string
  /** The suspended machine; there and whole, or not there. */
  suspended: string
  /** The suspended machine while it is being started again. */
  resuming: string
}

export interface StoredVm {
  spec: VmSpec
  record: VmRecord
}

export class VmStore {
  readonly #root: string

  constructor(stateFolder: string) {
    this.#root = join(stateFolder, 'vms')
  }

  async open(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 })
  }

  files(vmUid: string): VmFiles {
    // The uid came through a parser already; a path is the one place where a slip would be a hole.
    return filesIn(join(this.#root, vmUidSchema.parse(vmUid)))
  }

  /** A new folder appears whole: specification and record are in it before it has its name. */
  async create(vm: StoredVm): Promise<void> {
    const { folder } = this.files(vm.spec.vmUid)
    const temporary = join(this.#root, `${temporaryPrefix}${vm.spec.vmUid}`)
    await rm(temporary, { recursive: true, force: true })
    await mkdir(temporary, { mode: 0o700 })
    await writeJsonAtomic(join(temporary, 'spec.json'), vm.spec)
    await writeJsonAtomic(join(temporary, 'state.json'), vm.record)
    await rename(temporary, folder)
    await syncFolder(this.#root)
  }

  async writeSpec(spec: VmSpec): Promise<void> {
    await writeJsonAtomic(this.files(spec.vmUid).spec, spec)
  }

  async writeRecord(vmUid: string, record: VmRecord): Promise<void> {
    await writeJsonAtomic(this.files(vmUid).record, record)
  }

  /** Removes the folder for good: first its name, so that a crash cannot leave half a VM that looks whole. */
  async remove(vmUid: string): Promise<void> {
    const { folder } = this.files(vmUid)
    const grave = join(this.#root, `${temporaryPrefix}deleted-${vmUid}`)
    await rm(grave, { recursive: true, force: true })
    await rename(folder, grave).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    await syncFolder(this.#root)
    await rm(grave, { recursive: true, force: true })
  }

  /**
   * Every VM on this host. What a crash left unfinished (folders without their name) is removed; a folder that
   * cannot be read is reported and left alone: it may hold somebody's disk.
   */
  async load(): Promise<{ vms: StoredVm[]; unreadable: { folder: string; error: unknown }[] }> {
    const vms: StoredVm[] = []
    const unreadable: { folder: string; error: unknown }[] = []
    for (const entry of await readdir(this.#root, { withFileTypes: true })) {
      const folder = join(this.#root, entry.name)
      if (entry.name.startsWith(temporaryPrefix)) {
        await rm(folder, { recursive: true, force: true })
        continue
      }
      try {
        const spec = parseVmSpec(await readJson(join(folder, 'spec.json')))
        if (spec.vmUid !== entry.name) throw new Error(`spec.json is of VM ${spec.vmUid}`)
        await removeLeftovers(folder)
        vms.push({ spec, record: vmRecordSchema.parse(await readJson(join(folder, 'state.json'))) })
      } catch (error) {
        unreadable.push({ folder, error })
      }
    }
    return { vms, unreadable }
  }
}

/** The files of a VM in its folder, or of one that is being made there. */
export function filesIn(folder: string): VmFiles {
  const inside = (name: string) => join(folder, name)
  return {
    folder,
    spec: inside('spec.json'),
    record: inside('state.json'),
    disk: inside('disk.raw'),
    seed: inside('seed.iso'),
    disc: inside('disc.iso'),
    kernel: inside('kernel'),
    initrd: inside('initrd'),
    uefiVariables: inside('uefi-vars.fd'),
    serialLog: inside('serial.log'),
    vmmLog: inside('vmm.log'),
    passtLog: inside('passt.log'),
    snapshotSlot: inside('snapshot-slot'),
    suspended: inside('suspended'),
    resuming: inside('resuming'),
  }
}
