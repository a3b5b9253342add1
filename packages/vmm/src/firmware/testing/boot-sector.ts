/**
 * Programs that a BIOS starts at 0x7c00: one that reads the second sector of its disk and prints it, and one that
 * prints a text of its own. Both print through the BIOS and power off.
 */
const SECTOR = 512
const TEXT = 0x8000
/** At least one cylinder, or a BIOS takes the disk for empty. */
const DISK_BYTES = 1024 * 1024

const low = (address: number): number[] => [address & 0xff, address >>> 8]
// cli; xor ax, ax; mov ds, es, ss, ax; mov sp, 0x7c00; sti
const SET_UP = [0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, 0xfb]
const print = (text: number): number[] => [
  // mov si, text; next: lodsb; test al, al; jz off
  ...[0xbe, ...low(text), 0xac, 0x84, 0xc0, 0x74, 0x08],
  // mov ah, 0x0e; mov bl, 7; int 0x10 (teletype); jmp next
  ...[0xb4, 0x0e, 0xb3, 0x07, 0xcd, 0x10, 0xeb, 0xf3],
]
const POWER_OFF = [
  // Four ticks of the timer, for the serial console to write the line out.
  ...[0xf4, 0xf4, 0xf4, 0xf4],
  // mov dx, 0x604; mov ax, S5 and SLP_EN; out dx, ax; again: hlt; jmp again
  ...[0xba, 0x04, 0x06, 0xb8, 0x00, 0x34, 0xef, 0xf4, 0xeb, 0xfd],
]
// mov si, packet; mov ah, 0x42; int 0x13 (extended read); jc off
const READ = [0xbe, 0x50, 0x7c, 0xb4, 0x42, 0xcd, 0x13, 0x72, 0x10]
const PACKET_AT = 0x50
/** Size, sectors, offset and segment of the buffer, first sector. */
const PACKET = [0x10, 0, 1, 0, ...low(TEXT), 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
const PRINTED_AT = 0x60

const line = (text: string): Uint8Array => new TextEncoder().encode(`${text}\r\n\0`)

// again: hlt; jmp again
const STAY = [0xf4, 0xeb, 0xfd]

/** `stays`: it does not power off but waits for ever. */
export function bootSectorDisk(text: string, { stays = false } = {}): Uint8Array {
  const disk = new Uint8Array(DISK_BYTES)
  disk.set([...SET_UP, ...READ, ...print(TEXT), ...(stays ? STAY : POWER_OFF)])
  disk.set(PACKET, PACKET_AT)
  disk.set([0x55, 0xaa], SECTOR - 2)
  disk.set(line(text), SECTOR)
  return disk
}

const PROMPT = 0x7c60
/** What `echoDisk` ends at. */
export const LAST_KEY = 'q'

/** Prints `prompt`, then each key's character as the BIOS has it, and powers off after LAST_KEY. */
export function echoDisk(prompt: string): Uint8Array {
  const disk = new Uint8Array(DISK_BYTES)
  // next: xor ah, ah; int 0x16 (wait for a key); mov ah, 0x0e; mov bl, 7; int 0x10; cmp al, LAST_KEY; jne next
  const ECHO = [
    0x30,
    0xe4,
    0xcd,
    0x16,
    0xb4,
    0x0e,
    0xb3,
    0x07,
    0xcd,
    0x10,
    0x3c,
    LAST_KEY.charCodeAt(0),
    0x75,
    0xf2,
  ]
  disk.set([...SET_UP, ...print(PROMPT), ...ECHO, ...POWER_OFF])
  disk.set(line(prompt), PROMPT - 0x7c00)
  disk.set([0x55, 0xaa], SECTOR - 2)
  return disk
}

/** For a CD-ROM: what El Torito loads without emulation. */
export function bootProgram(text: string): Uint8Array {
  const program = new Uint8Array(2048)
  program.set([...SET_UP, ...print(0x7c00 + PRINTED_AT), ...POWER_OFF])
  program.set(line(text), PRINTED_AT)
  return program
}
