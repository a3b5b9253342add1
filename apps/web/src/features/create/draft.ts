import { whyNotBootable } from '@hearth/shared/image'
import type { LayoutName } from '@hearth/shared/keyboard-layouts'
import { nameSchema } from '@hearth/shared/names'
import {
  creationDemand,
  type Demand,
  formatAmount,
  type QuotaLine,
  quotaKeys,
  shortfalls,
} from '@hearth/shared/quota'
import { GIB, MIB, parseSize } from '@hearth/shared/units'
import { vmLimits } from '@hearth/shared/vm-spec'
import type { HostView, ImageView, SizeView, VmCreateInput } from '../../../server/views/index.ts'
import { isLabelKey, isLabelValue } from '../../../server/views/label.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { currentLocale } from '../../messages/language.ts'
import { said } from '../../messages/said.ts'

/** What a person has filled in so far: texts as typed, so that half-written numbers stay as they are. */
export interface Draft {
  projectId: number | null
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
  /** `key=value`, separated by spaces or commas. */
  labels: string
  userData: string
  /** How many alike; more than one get numbers after their name. */
  count: string
  /** A bridge of the host; empty: its own network for VMs. */
  bridge: string
  /** Of a VM with a screen: its guest is set to that keyboard at its first start. */
  keyboard: LayoutName
  startAtBoot: boolean
  start: boolean
}

export interface DraftWorld {
  image: ImageView | undefined
  sizes: readonly SizeView[]
  host: HostView | undefined
  takenNames: ReadonlySet<string>
  keys: ReadonlyMap<number, string>
  /** Of the project it will belong to; undefined while it is not known. */
  quota: readonly QuotaLine[] | undefined
}

export type DraftField =
  | 'imageUid'
  | 'cpus'
  | 'memory'
  | 'disk'
  | 'name'
  | 'user'
  | 'password'
  | 'login'
  | 'labels'
  | 'count'
  | 'quota'
export type DraftProblems = Partial<Record<DraftField, string>>

export const maxCount = 20

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

/** An image without a disk runs from memory; a CD installs onto an empty one. */
export const hasDisk = (image: Pick<ImageView, 'minDiskBytes' | 'kind'>): boolean =>
  image.minDiskBytes > 0 || image.kind === 'iso'

/** Whether a VM of it gets a screen by itself: it draws on one, or its installer does. */
export const hasScreen = (image: Pick<ImageView, 'graphical' | 'kind'>): boolean =>
  image.graphical || image.kind === 'iso'

export function figures(draft: Draft, world: DraftWorld): Figures {
  const size = world.sizes.find((each) => each.name === draft.size)
  const typedDisk = draft.disk.trim() ? parseGib(draft.disk) : undefined
  const offered = size?.diskBytes ?? 10 * GIB
  const fallback = Math.max(offered, world.image?.minDiskBytes ?? 0)
  return {
    cpus: size ? size.cpus : /^\d+$/.test(draft.cpus.trim()) ? Number(draft.cpus) : undefined,
    memoryBytes: size ? size.memoryBytes : parseGib(draft.memory),
    diskBytes: world.image && !hasDisk(world.image) ? null : draft.disk.trim() ? typedDisk : fallback,
  }
}

/** Figures of one's own begin with those of the size that was chosen until then. */
export function customFrom(draft: Draft, sizes: readonly SizeView[]): Partial<Draft> {
  const size = sizes.find((each) => each.name === draft.size)
  if (!size) return { size: 'custom' }
  return { size: 'custom', cpus: String(size.cpus), memory: String(size.memoryBytes / GIB) }
}

/** How many are to be made; undefined while that is not a number in its limits. */
export function countOf(draft: Draft): number | undefined {
  const count = /^\d+$/.test(draft.count.trim()) ? Number(draft.count) : 0
  return count >= 1 && count <= maxCount ? count : undefined
}

/** The names they get: the one that is written, or numbered from 1 on. */
export function namesOf(draft: Draft): string[] {
  const count = countOf(draft) ?? 1
  return count === 1
    ? [draft.name]
    : Array.from({ length: count }, (_, index) => `${draft.name}-${index + 1}`)
}

/** `a=b, c` as labels; undefined when one of them cannot be one. */
export function parseLabels(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {}
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const at = word.indexOf('=')
    const [key, value] = at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
    if (!isLabelKey(key) || !isLabelValue(value)) return undefined
    labels[key] = value
  }
  return labels
}

/** What they take of the quota together; empty while the figures are not complete. */
export function demandOf(draft: Draft, world: DraftWorld): Demand {
  const { cpus, memoryBytes, diskBytes } = figures(draft, world)
  if (cpus === undefined || memoryBytes === undefined || diskBytes === undefined) return {}
  const one = creationDemand({ cpus, memoryBytes, diskBytes }, draft.start)
  const count = countOf(draft) ?? 1
  return Object.fromEntries(
    quotaKeys.map((key) => [key, (one[key] ?? 0) * (key.startsWith('vm_') ? 1 : count)]),
  )
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

  if (countOf(draft) === undefined) problems.count = t.count(maxCount)
  for (const each of namesOf(draft)) {
    const name = nameSchema.safeParse(each)
    if (!name.success) problems.name = said(name.error.issues[0]?.message ?? m.create.why.fix)
    else if (world.takenNames.has(each))
      problems.name = each === draft.name ? m.create.nameTaken : m.create.nameTakenOf(each)
  }
  if (parseLabels(draft.labels) === undefined) problems.labels = m.vmSettings.labels.problem

  if (image?.cloudInit) {
    if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(draft.user)) problems.user = m.create.userRule
    else if (draft.user === 'root') problems.user = m.create.userRoot
    if (draft.password && draft.password.length < 8) problems.password = m.create.weakPassword
    if (!draft.password && draft.keyIds.length === 0) problems.login = m.create.why.noLogin
  }

  const [short] = shortfalls(world.quota ?? [], demandOf(draft, world))
  if (short) {
    const amount = (value: number) => formatAmount(short.key, value, currentLocale())
    problems.quota = m.create.why.quota(
      m.create.quotaNames[short.key],
      amount(short.asked),
      amount(short.left),
    )
  }
  return problems
}

/** The requests, one a VM, when nothing stands in their way. `key` names the intent: each VM's is made from it. */
export function toInputs(draft: Draft, world: DraftWorld, key: string): VmCreateInput[] | null {
  if (Object.keys(draftProblems(draft, world)).length > 0) return null
  return namesOf(draft).flatMap((name, index) => inputOf(draft, world, name, `${key}-${index + 1}`) ?? [])
}

function inputOf(
  draft: Draft,
  world: DraftWorld,
  name: string,
  idempotencyKey: string,
): VmCreateInput | null {
  const { cpus, memoryBytes, diskBytes } = figures(draft, world)
  if (!world.image || cpus === undefined || memoryBytes === undefined || diskBytes === undefined) return null
  const { cloudInit } = world.image
  const labels = parseLabels(draft.labels) ?? {}
  return {
    ...(draft.projectId === null ? {} : { projectId: draft.projectId }),
    name,
    imageUid: world.image.uid,
    cpus,
    memoryBytes,
    ...(diskBytes === null ? {} : { diskBytes }),
    ...(cloudInit ? { user: draft.user } : {}),
    ...(cloudInit && draft.password ? { password: draft.password } : {}),
    ...(cloudInit && draft.userData.trim() ? { userData: draft.userData } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    sshKeys: cloudInit ? draft.keyIds.flatMap((id) => world.keys.get(id) ?? []) : [],
    ...(draft.bridge ? { bridge: draft.bridge } : {}),
    ...(hasScreen(world.image) ? { display: { keyboard: draft.keyboard } } : {}),
    startAtBoot: draft.startAtBoot,
    start: draft.start,
    idempotencyKey,
  }
}
