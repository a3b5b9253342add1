/**
 * Guests of a few instructions, as ELF kernels entered in 64-bit mode: enough to drive every device of the chipset
 * on any KVM, also on one that emulates the guest and could boot no real kernel.
 */
import { elf } from '../boot/testing/images.ts'

const ADDRESS = 0x10_0000
const le32 = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
]
const movEdx = (value: number): number[] => [0xba, ...le32(value)]
const movEax = (value: number): number[] => [0xb8, ...le32(value)]

export const outb = (port: number, value: number): number[] => [...movEdx(port), ...movEax(value), 0xee]
const outw = (port: number, value: number): number[] => [...movEdx(port), ...movEax(value), 0x66, 0xef]
export const outl = (port: number, value: number): number[] => [...movEdx(port), ...movEax(value), 0xef]
/** Into EAX. */
export const inb = (port: number): number[] => [0x31, 0xc0, ...movEdx(port), 0xec]
export const inl = (port: number): number[] => [...movEdx(port), 0xed]
/** EAX, or RAX where `wide`, from guest physical memory (identity mapped below 4 GiB). */
export const loadMemory = (address: number, wide = false): number[] => [
  ...[0xbb, ...le32(address)],
  ...(wide ? [0x48] : []),
  ...[0x8b, 0x03],
]
export const storeMemory = (address: number, value: number): number[] => [
  ...[0xbb, ...le32(address)],
  ...movEax(value),
  ...[0x89, 0x03],
]
export const storeMemory64 = (address: number, value: number): number[] => [
  ...storeMemory(address, value % 2 ** 32),
  ...storeMemory(address + 4, Math.floor(value / 2 ** 32)),
]
export const COM1 = 0x3f8
export const print = (text: string): number[] =>
  [...Buffer.from(text, 'latin1')].flatMap((c) => outb(COM1, c))
/** The low `bytes` bytes of RAX to the serial port, raw, lowest first. */
export const printRax = (bytes: number): number[] => [
  ...movEdx(COM1),
  ...Array.from({ length: bytes }, () => [0xee, 0x48, 0xc1, 0xe8, 0x08]).flat(),
]
/** All of `text` by one REP OUTSB. */
export const printString = (text: string): number[] => {
  const bytes = [...Buffer.from(text, 'latin1')]
  // call over the text; pop rsi; mov ecx, length; mov edx, COM1; cld; rep outsb
  return [
    0xe8,
    ...le32(bytes.length),
    ...bytes,
    0x5e,
    0xb9,
    ...le32(bytes.length),
    ...movEdx(COM1),
    0xfc,
    0xf3,
    0x6e,
  ]
}
/** `count` bytes from a port to memory by one REP INSB. */
export const readString = (port: number, address: number, count: number): number[] => [
  ...[0xbf, ...le32(address)],
  ...[0xb9, ...le32(count)],
  ...movEdx(port),
  ...[0xfc, 0xf3, 0x6c],
]
export const powerOff: readonly number[] = outw(0x604, (5 << 10) | (1 << 13))
/** lidt [rsp] with a zero limit, then an undefined instruction. */
export const tripleFault: readonly number[] = [0x6a, 0x00, 0x6a, 0x00, 0x0f, 0x01, 0x1c, 0x24, 0x0f, 0x0b]
const forever = [0xf4, 0xeb, 0xfd]

/** A kernel file that runs the instructions and then halts for ever. */
export const tinyKernel = (...code: readonly (readonly number[])[]): Uint8Array =>
  elf({
    segments: [
      { address: ADDRESS, data: Uint8Array.from([...code.flat(), ...forever]), memorySize: 0x1_0000 },
    ],
  })
