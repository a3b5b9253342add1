/** Firmware as files of Debian's packages, mapped for the guest: SeaBIOS and OVMF. */
import { copyFileSync, existsSync, fstatSync, readFileSync } from 'node:fs'
import { FIRMWARE } from '../machine/layout.ts'
import type { GuestMemory, GuestRegion } from '../memory/guest-memory.ts'
import { hostRefused, usageError } from '../sys/exit-error.ts'
import { check, errno, flock, LOCK, MAP, mmap, O, open, PROT, viewOf } from '../sys/libc.ts'

export type FirmwareKind = 'bios' | 'uefi'

/** Where Debian's packages `seabios` and `ovmf` put them. */
export const FIRMWARE_FILES = {
  bios: '/usr/share/seabios/bios-256k.bin',
  /** SeaBIOS's video BIOS for a frame buffer in RAM. */
  video: '/usr/share/seabios/vgabios-ramfb.bin',
  uefi: '/usr/share/OVMF/OVMF_CODE_4M.fd',
  uefiVariables: '/usr/share/OVMF/OVMF_VARS_4M.fd',
} as const
const PACKAGE = { bios: 'seabios', uefi: 'ovmf' } as const
const PAGE = 4096
const MAX_BYTES = 16 * 1024 * 1024

/** UEFI's variables: flash that the guest writes. */
export interface VariableStore extends GuestRegion {
  /** The file to make durable; undefined: they live as long as the process. */
  readonly fd: number | undefined
  /** The memory is a copy, to be written to the file: its file system maps none for writing. */
  readonly writeBack: boolean
}

export interface FirmwareImages {
  readonly kind: FirmwareKind
  /** Read-only for the guest; ends at 4 GiB. */
  readonly code: GuestRegion
  /** Right below the code. */
  readonly variables?: VariableStore | undefined
}

export interface FirmwareOptions {
  readonly kind: FirmwareKind
  /** Another code image than Debian's. */
  readonly codeFile?: string | undefined
  /** Where UEFI keeps its variables; made from the package's when it is not there. */
  readonly variablesFile?: string | undefined
}

/** Opens and maps. Throws ExitError. The mappings live as long as the process. */
export function openFirmware(options: FirmwareOptions): FirmwareImages {
  const { kind, variablesFile } = options
  const code = mapFile(options.codeFile ?? FIRMWARE_FILES[kind], kind, 'code')
  const codeRegion = { ...code, guestAddress: FIRMWARE.end - code.size }
  if (kind === 'bios') return { kind, code: codeRegion }
  if (variablesFile !== undefined) ensureVariables(variablesFile)
  const variables = mapFile(
    variablesFile ?? FIRMWARE_FILES.uefiVariables,
    kind,
    variablesFile === undefined ? 'private' : 'shared',
  )
  return {
    kind,
    code: codeRegion,
    variables: {
      ...variables,
      guestAddress: codeRegion.guestAddress - variables.size,
      fd: variablesFile === undefined ? undefined : variables.fd,
      writeBack: !variables.shared,
    },
  }
}

/** Undefined: this package has none. */
export function readVideoRom(): Uint8Array | undefined {
  return existsSync(FIRMWARE_FILES.video) ? new Uint8Array(readFileSync(FIRMWARE_FILES.video)) : undefined
}

/** A PC's processor starts at the top of 4 GiB, but a BIOS goes on in its copy below 1 MiB. */
export function shadowBios(images: FirmwareImages, memory: GuestMemory): void {
  if (images.kind !== 'bios') return
  const { start, size } = FIRMWARE.biosShadow
  const { hostAddress, size: bytes } = images.code
  const count = Math.min(size, bytes)
  memory.write(start + size - count, new Uint8Array(viewOf(hostAddress + bytes - count, count)))
}

function ensureVariables(file: string): void {
  if (existsSync(file)) return
  if (!existsSync(FIRMWARE_FILES.uefiVariables)) throw missing('uefi', FIRMWARE_FILES.uefiVariables)
  try {
    copyFileSync(FIRMWARE_FILES.uefiVariables, file)
  } catch (error) {
    throw hostRefused(`--uefi-vars ${file}: it cannot be made (${(error as Error).message})`, error)
  }
}

const missing = (kind: FirmwareKind, file: string): Error =>
  hostRefused(
    `${file} is missing: install Debian's package ${PACKAGE[kind]}, which has the firmware this VM boots with`,
  )

interface Mapped {
  readonly hostAddress: number
  readonly size: number
  readonly fd: number
  readonly shared: boolean
}

function mapFile(file: string, kind: FirmwareKind, use: 'code' | 'private' | 'shared'): Mapped {
  const writable = use === 'shared'
  const fd = open(file, (writable ? O.RDWR : O.RDONLY) | O.CLOEXEC, 0)
  if (fd < 0) {
    if (!existsSync(file)) throw missing(kind, file)
    throw hostRefused(`${file}: the firmware's file does not open (errno ${errno()})`)
  }
  const { size } = fstatSync(fd)
  if (size === 0 || size % PAGE !== 0 || size > MAX_BYTES) {
    throw usageError(`${file} is not firmware for this machine: it has ${size} bytes`)
  }
  // Two machines that write one file would each undo what the other wrote.
  if (writable && flock(fd, LOCK.EX | LOCK.NB) < 0) {
    throw hostRefused(`${file}: the UEFI variables are in use by another VM`)
  }
  const protection = use === 'code' ? PROT.READ : PROT.READ | PROT.WRITE
  if (writable) {
    const address = mmap(0, size, protection, MAP.SHARED, fd, 0)
    if (address > 0) return { hostAddress: address, size, fd, shared: true }
  }
  return {
    hostAddress: check('mmap', mmap(0, size, protection, MAP.PRIVATE, fd, 0)),
    size,
    fd,
    shared: false,
  }
}
