/** Puts kernel, initrd, command line and boot data into guest memory, by what the kernel file turns out to be. */
import type { EntryState } from '../kvm/vcpu.ts'
import { BOOT, type E820Entry, HIGH_MEMORY, LOW_RAM_END } from '../machine/layout.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'
import { type BzImage, ENTRY_64, isBzImage, parseBzImage } from './bzimage.ts'
import { type ElfImage, isElf, parseElf } from './elf.ts'
import { attachDevices, enterHvt, type HvtDevices, type HvtImage, parseHvt } from './hvt.ts'
import { BootError, type ImageFile } from './image-file.ts'
import { enter64, type LinearScreen, writeZeroPage } from './linux.ts'
import {
  enterMultiboot,
  findMultibootHeader,
  type LoadSegment,
  MAX_MODULES,
  type MultibootImage,
  type MultibootModule,
  parseMultiboot,
  writeBiosRemains,
  writeMultibootInfo,
} from './multiboot.ts'
import { enterPvh, writeStartInfo } from './pvh.ts'

const PAGE = 4096
const MIB = 1024 * 1024

/** How `--boot` may have a kernel entered. */
export type KernelProtocol = 'linux' | 'pvh' | 'multiboot' | 'hvt'

export interface BootSource {
  readonly kernel: ImageFile
  readonly initrd: ImageFile | undefined
  readonly commandLine: string
  /** Absent: what the file asks for. */
  readonly protocol?: KernelProtocol | undefined
  /** For Multiboot, after the initrd; `text` is what the kernel is told of it. */
  readonly modules?: readonly { readonly file: ImageFile; readonly text: string }[] | undefined
}

export interface BootEnvironment {
  readonly memory: GuestMemory
  readonly ramBytes: number
  readonly memoryMap: readonly E820Entry[]
  /** Guest address of the ACPI root pointer. */
  readonly rsdp: number
  /** Where the kernel finds a screen, if there is one. */
  readonly screen?: LinearScreen | undefined
  /** For an `hvt` unikernel. */
  readonly hvt?: { readonly devices: HvtDevices; readonly tscHertz: number } | undefined
}

export type KernelImage =
  | { kind: 'bzimage'; image: BzImage }
  | { kind: 'elf'; image: ElfImage }
  | { kind: 'multiboot'; image: MultibootImage }
  | { kind: 'hvt'; image: ElfImage; hvt: HvtImage }

/** Reads only headers; throws BootError when the file is no kernel this machine can enter. */
export function detectKernel(file: ImageFile, protocol?: KernelProtocol): KernelImage {
  if (file.size === 0) throw new BootError(`${file.path} is empty`)
  const head = new Uint8Array(Math.min(file.size, 8192))
  file.read(head, 0)
  if (protocol === 'multiboot') return { kind: 'multiboot', image: parseMultiboot(file) }
  if (protocol === undefined && findMultibootHeader(head) >= 0 && !hasOwnProtocol(file, head)) {
    return { kind: 'multiboot', image: parseMultiboot(file) }
  }
  if (isElf(head)) {
    const image = parseElf(file)
    const hvt = protocol === undefined || protocol === 'hvt' ? parseHvt(file) : undefined
    if (hvt !== undefined) return { kind: 'hvt', image, hvt }
    if (protocol === 'hvt') throw new BootError(`${file.path} is no Solo5 hvt unikernel`)
    if (image.bits === 32 && (image.pvhEntry === undefined || protocol === 'linux')) {
      throw new BootError(
        `${file.path} is a 32-bit ELF file, which can be entered by PVH or Multiboot, and has neither: use a 64-bit kernel`,
      )
    }
    return { kind: 'elf', image }
  }
  if (isBzImage(head)) return { kind: 'bzimage', image: parseBzImage(file) }
  throw new BootError(
    `${file.path} is not a kernel: give a Linux bzImage (vmlinuz) or an ELF kernel (vmlinux)`,
  )
}

/** Whether a kernel with a Multiboot header has a protocol beside it that tells it more. */
function hasOwnProtocol(file: ImageFile, head: Uint8Array): boolean {
  if (isBzImage(head)) return true
  return isElf(head) && parseElf(file).pvhEntry !== undefined
}

/** Loads everything and returns the state the first vCPU starts in. Throws BootError. */
export function loadGuest(source: BootSource, environment: BootEnvironment): EntryState {
  const kernel = detectKernel(source.kernel, source.protocol)
  checkProtocol(source, kernel)
  const lowEnd = Math.min(environment.ramBytes, LOW_RAM_END)
  if (kernel.kind === 'bzimage') return loadBzImage(kernel.image, source, environment, lowEnd)
  if (kernel.kind === 'hvt') return loadHvt(kernel, source, environment, lowEnd)
  if (kernel.kind === 'multiboot') return loadMultiboot(kernel.image, source, environment, lowEnd)
  return loadElf(kernel.image, source, environment, lowEnd)
}

/** Throws BootError when the file cannot be entered the way that was asked for. */
export function checkProtocol({ kernel, protocol }: BootSource, found: KernelImage): void {
  if (protocol !== 'pvh') return
  if (found.kind === 'elf' && found.image.pvhEntry !== undefined) return
  throw new BootError(
    `${kernel.path} has no PVH entry: leave --boot away, or give an ELF kernel (vmlinux) with one`,
  )
}

function loadBzImage(image: BzImage, source: BootSource, env: BootEnvironment, lowEnd: number): EntryState {
  const { kernel } = source
  const needed = Math.max(image.initSize, image.payloadSize)
  let address = image.preferredAddress
  if (address < HIGH_MEMORY) address = Math.ceil(HIGH_MEMORY / image.alignment) * image.alignment
  // Lower is no help to a kernel for which there is not room enough: it goes to its preferred address before it unpacks
  // itself (boot.rst, "init_size").
  if (address + needed > lowEnd) throw tooSmall(kernel, address + needed, env.ramBytes)
  kernel.read(env.memory.bytes(address, image.payloadSize), image.payloadOffset)
  writeCommandLine(env.memory, source.commandLine, image.commandLineMax)
  const kernelRange = { start: address, end: address + needed }
  const initrd = placeInitrd(source.initrd, env, kernelRange, Math.min(lowEnd, image.initrdMax + 1))
  const { memoryMap, rsdp, screen } = env
  writeZeroPage(env.memory, { header: image.header, memoryMap, rsdp, initrd, screen })
  return enter64(env.memory, address + ENTRY_64)
}

function loadElf(image: ElfImage, source: BootSource, env: BootEnvironment, lowEnd: number): EntryState {
  const { kernel } = source
  const end = loadSegments(kernel, image.segments, env, lowEnd)
  writeCommandLine(env.memory, source.commandLine, BOOT.commandLineMax - 1)
  const start = Math.min(...image.segments.map(({ address }) => address))
  const initrd = placeInitrd(source.initrd, env, { start, end }, lowEnd)
  const data = { memoryMap: env.memoryMap, rsdp: env.rsdp, initrd }
  // PVH has no words for a screen: a kernel that can be told of it by its own protocol is entered so.
  const isTold = image.isLinux && image.bits === 64 && env.screen !== undefined
  const asLinux = source.protocol === 'linux' || (source.protocol === undefined && isTold)
  if (image.pvhEntry !== undefined && !asLinux) {
    checkEntry(kernel, image, image.pvhEntry)
    writeStartInfo(env.memory, data)
    return enterPvh(env.memory, image.pvhEntry)
  }
  checkEntry(kernel, image, image.entry)
  writeZeroPage(env.memory, { header: undefined, ...data, screen: env.screen })
  return enter64(env.memory, image.entry)
}

/** Copies the segments to where they belong, above 1 MiB or in what is free `below`; returns the end of the highest. */
function loadSegments(
  kernel: ImageFile,
  segments: readonly LoadSegment[],
  env: BootEnvironment,
  lowEnd: number,
  below?: { readonly lowestLoad: number; readonly info: number },
): number {
  let end = HIGH_MEMORY
  for (const segment of segments) {
    const isLow =
      below && segment.address >= below.lowestLoad && segment.address + segment.memorySize <= below.info
    if (segment.address < HIGH_MEMORY && !isLow) {
      throw new BootError(
        `${kernel.path} wants to be loaded at 0x${segment.address.toString(16)}, where this machine's own data lie: it is not a kernel for this machine`,
      )
    }
    if (segment.address + segment.memorySize > lowEnd) {
      throw tooSmall(kernel, segment.address + segment.memorySize, env.ramBytes)
    }
    end = Math.max(end, segment.address + segment.memorySize)
  }
  for (const segment of segments) {
    if (segment.fileSize > 0)
      kernel.read(env.memory.bytes(segment.address, segment.fileSize), segment.fileOffset)
  }
  return end
}

function loadHvt(
  { image, hvt }: { image: ElfImage; hvt: HvtImage },
  { kernel, commandLine }: BootSource,
  env: BootEnvironment,
  lowEnd: number,
): EntryState {
  if (env.hvt === undefined) throw new RangeError('an hvt unikernel without its devices')
  const kernelEnd = Math.ceil(loadSegments(kernel, image.segments, env, lowEnd) / PAGE) * PAGE
  checkEntry(kernel, image, image.entry)
  const { devices, tscHertz } = env.hvt
  const manifest = attachDevices(kernel, hvt, devices)
  return enterHvt(env.memory, {
    ...{ entry: image.entry, segments: image.segments, memoryBytes: lowEnd },
    ...{ kernelEnd, tscHertz, manifest, commandLine },
  })
}

function loadMultiboot(
  image: MultibootImage,
  source: BootSource,
  env: BootEnvironment,
  lowEnd: number,
): EntryState {
  const { kernel } = source
  const end = loadSegments(kernel, image.segments, env, lowEnd, BOOT.multiboot)
  checkEntry(kernel, image, image.entry)
  const { commandLine, commandLineMax } = BOOT.multiboot
  writeCommandLine(env.memory, source.commandLine, commandLineMax - 1, commandLine)
  const files = [
    ...(source.initrd ? [{ file: source.initrd, text: source.initrd.path }] : []),
    ...(source.modules ?? []),
  ]
  if (files.length > MAX_MODULES)
    throw new BootError(`${files.length} modules are too many: at most ${MAX_MODULES}`)
  const modules: MultibootModule[] = []
  let next = end
  for (const { file, text } of files) {
    const start = Math.ceil(next / PAGE) * PAGE
    if (start + file.size > lowEnd) throw tooSmall(file, start + file.size, env.ramBytes)
    if (file.size > 0) file.read(env.memory.bytes(start, file.size), 0)
    next = start + file.size
    modules.push({ start, end: next, text })
  }
  const { memoryMap } = env
  writeBiosRemains(env.memory)
  writeMultibootInfo(env.memory, { memoryMap, upperBytes: lowEnd - HIGH_MEMORY, modules })
  return enterMultiboot(env.memory, image.entry)
}

function checkEntry(
  kernel: ImageFile,
  { segments }: { readonly segments: readonly LoadSegment[] },
  entry: number,
): void {
  if (segments.some((s) => entry >= s.address && entry < s.address + s.memorySize)) return
  throw new BootError(
    `${kernel.path} starts at 0x${entry.toString(16)}, where it loads nothing: it is not a kernel for this machine`,
  )
}

function tooSmall(kernel: ImageFile, needed: number, ramBytes: number): BootError {
  return new BootError(
    `${kernel.path} needs memory up to ${Math.ceil(needed / MIB)} MiB, the VM has ${ramBytes / MIB} MiB: give it more with --memory`,
  )
}

function writeCommandLine(
  memory: GuestMemory,
  text: string,
  max: number,
  address: number = BOOT.commandLine,
): void {
  const bytes = new TextEncoder().encode(text)
  const limit = Math.min(max, BOOT.commandLineMax - 1)
  if (bytes.length > limit) {
    throw new BootError(
      `the kernel's command line has ${bytes.length} bytes, this kernel takes ${limit}: shorten --cmdline`,
    )
  }
  if (bytes.includes(0)) throw new BootError('the kernel command line has a zero byte in it')
  memory.write(address, bytes)
  memory.writeU8(address + bytes.length, 0)
}

/** As high as allowed, so that it does not stand where the kernel grows; below the kernel where there is no room above. */
function placeInitrd(
  initrd: ImageFile | undefined,
  env: BootEnvironment,
  kernel: { readonly start: number; readonly end: number },
  end: number,
): { address: number; size: number } | undefined {
  if (!initrd) return undefined
  const { size } = initrd
  if (size === 0) throw new BootError(`${initrd.path} is empty: leave --initrd away or give a whole one`)
  const below = (top: number): number => Math.floor((top - size) / PAGE) * PAGE
  const above = below(end)
  const address = above >= kernel.end ? above : below(Math.min(end, kernel.start))
  if (address < HIGH_MEMORY) {
    throw new BootError(
      `${initrd.path} (${Math.ceil(size / MIB)} MiB) does not fit into ${env.ramBytes / MIB} MiB of memory beside the kernel: give the VM more with --memory`,
    )
  }
  initrd.read(env.memory.bytes(address, size), 0)
  return { address, size }
}
