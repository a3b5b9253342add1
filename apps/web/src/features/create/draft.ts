import { whyNotBootable } from '@hearth/shared/image'
import { nameSchema } from '@hearth/shared/names'
import { GIB, MIB, parseSize } from '@hearth/shared/units'
import { vmLimits } from '@hearth/shared/vm-spec'
import type { HostView, ImageView, SizeView, VmCreateInput } from '../../../server/views/index.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/index.ts'

/** What a person has filled in so far: texts as typed, so that half-written numbers stay as they are. */
export interface Draft {
  imageUid: string | null
  /** The name of an offered size, or `custom`. */
  size: string
  cpus: string
  memory: string
  /** Empty: what the size says. */
  disk: string
  name: string
  user: string
  password: string
  keyIds: readonly number[]
  startAtBoot: boolean
}

export interface DraftWorld {
  image: ImageView | undefined
  sizes: readonly SizeView[]
  host: HostView | undefined
  takenNames: ReadonlySet<string>
  keys: ReadonlyMap<number, string>
}

export type DraftField = 'imageUid' | 'cpus' | 'memory' | 'disk' | 'name' | 'user' | 'password' | 'login'
export type DraftProblems = Partial<Record<DraftField, string>>

/** A number without a unit is GiB, as the field says; `512M` works too. Rounded to whole MiB. */
export function parseGib(text: string): number | undefined {
  const trimmed = text.trim().replace(',', '.')
  const size = /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) * GIB : parseSize(trimmed)
  if (size === undefined || !Number.isFinite(size)) return undefined
  const whole = Math.round(size / MIB) * MIB
  return whole > 0 ? whole : undefined
}

export interface Figures {
  cpus: number | undefined
  memoryBytes: number | undefined
  /** null: this image has no disk. */
  diskBytes: number | null | undefined
}

export function figures(draft: Draft, world: DraftWorld): Figures {
  const size = world.sizes.find((each) => each.name === draft.size)
  const typedDisk = draft.disk.trim() ? parseGib(draft.disk) : undefined
  const offered = size?.diskBytes ?? 10 * GIB
  const fallback = Math.max(offered, world.image?.minDiskBytes ?? 0)
  return {
    cpus: size ? size.cpus : /^\d+$/.test(draft.cpus.trim()) ? Number(draft.cpus) : undefined,
    memoryBytes: size ? size.memoryBytes : parseGib(draft.memory),
    diskBytes: world.image?.minDiskBytes === 0 ? null : draft.disk.trim() ? typedDisk : fallback,
  }
}

/** Why an offered size cannot be had with this image on this host, if so. */
export function sizeProblem(size: SizeView, image: ImageView | undefined): string | null {
  if (image && size.memoryBytes < image.minMemoryBytes)
    return m.create.limits.sizeTooSmall(bytes(image.minMemoryBytes))
  return size.fits.why
}

/** Everything that stands between the draft and a VM, by field, in the words of the page. */
export function draftProblems(draft: Draft, world: DraftWorld): DraftProblems {
  const problems: DraftProblems = {}
  const { image, host } = world
  const t = m.create.limits
  const { cpus, memoryBytes, diskBytes } = figures(draft, world)

  const unusable = image ? whyNotBootable(image) : m.create.why.noImage
  if (unusable !== null) problems.imageUid = unusable

  const maxCpus = Math.min(host?.info?.cpus ?? vmLimits.cpus.max, vmLimits.cpus.max)
  if (cpus === undefined) problems.cpus = t.number
  else if (cpus < vmLimits.cpus.min || cpus > maxCpus) problems.cpus = t.cpusRange(vmLimits.cpus.min, maxCpus)

  const minMemory = image?.minMemoryBytes ?? vmLimits.memoryBytes.min
  const maxMemory = host?.info?.memoryBytes ?? vmLimits.memoryBytes.max
  if (memoryBytes === undefined) problems.memory = t.number
  else if (memoryBytes < minMemory) problems.memory = t.memoryMin(bytes(minMemory))
  else if (memoryBytes > maxMemory) problems.memory = t.memoryMax(bytes(maxMemory))

  if (diskBytes !== null) {
    const minDisk = Math.max(image?.minDiskBytes ?? 0, vmLimits.diskBytes.min)
    const maxDisk = host?.info?.diskBytes ?? vmLimits.diskBytes.max
    if (diskBytes === undefined) problems.disk = t.number
    else if (diskBytes < minDisk) problems.disk = t.diskMin(bytes(minDisk))
    else if (diskBytes > maxDisk) problems.disk = t.diskMax(bytes(maxDisk))
  }

  const name = nameSchema.safeParse(draft.name)
  if (!name.success) problems.name = name.error.issues[0]?.message ?? m.create.why.fix
  else if (world.takenNames.has(draft.name)) problems.name = m.create.nameTaken

  if (image?.cloudInit) {
    if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(draft.user)) problems.user = m.create.userRule
    else if (draft.user === 'root') problems.user = m.create.userRoot
    if (draft.password && draft.password.length < 8) problems.password = m.create.weakPassword
    if (!draft.password && draft.keyIds.length === 0) problems.login = m.create.why.noLogin
  }
  return problems
}

/** The request, when nothing stands in its way. */
export function toInput(draft: Draft, world: DraftWorld, idempotencyKey: string): VmCreateInput | null {
  const { cpus, memoryBytes, diskBytes } = figures(draft, world)
  if (!world.image || cpus === undefined || memoryBytes === undefined || diskBytes === undefined) return null
  if (Object.keys(draftProblems(draft, world)).length > 0) return null
  const cloudInit = world.image.cloudInit
  return {
    name: draft.name,
    imageUid: world.image.uid,
    cpus,
    memoryBytes,
    ...(diskBytes === null ? {} : { diskBytes }),
    ...(cloudInit ? { user: draft.user } : {}),
    ...(cloudInit && draft.password ? { password: draft.password } : {}),
    sshKeys: cloudInit ? draft.keyIds.flatMap((id) => world.keys.get(id) ?? []) : [],
    startAtBoot: draft.startAtBoot,
    start: true,
    idempotencyKey,
  }
}
