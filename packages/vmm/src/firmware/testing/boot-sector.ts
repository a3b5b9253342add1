/** A disk of a few sectors whose boot program, started by a BIOS, prints what it finds in the second sector. */
const SECTOR = 512
const LOAD = 0x7c00
/** At least one cylinder, or a BIOS takes the disk for empty. */
const DISK_BYTES = 1024 * 1024

const PROGRAM = [
  // cli; xor ax, ax; mov ds, es, ss, ax; mov sp, 0x7c00; sti
  ...[0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, 0xfb],
  // mov si, packet; mov ah, 0x42; int 0x13 (extended read); jc off
  ...[0xbe, 0x50, 0x7c, 0xb4, 0x42, 0xcd, 0x13, 0x72, 0x10],
  // mov si, 0x8000; next: lodsb; test al, al; jz off
  ...[0xbe, 0x00, 0x80, 0xac, 0x84, 0xc0, 0x74, 0x08],
  // mov ah, 0x0e; mov bl, 7; int 0x10 (teletype); jmp next
  ...[0xb4, 0x0e, 0xb3, 0x07, 0xcd, 0x10, 0xeb, 0xf3],
  // off: four ticks of the timer, for the serial console to write the line out
  ...[0xf4, 0xf4, 0xf4, 0xf4],
  // mov dx, 0x604; mov ax, S5 and SLP_EN; out dx, ax; again: hlt; jmp again
  ...[0xba, 0x04, 0x06, 0xb8, 0x00, 0x34, 0xef, 0xf4, 0xeb, 0xfd],
]
const PACKET_AT = 0x50
/** Size, sectors, offset and segment of the buffer, first sector. */
const PACKET = [0x10, 0, 1, 0, 0x00, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]

export function bootSectorDisk(text: string): Uint8Array {
  const disk = new Uint8Array(DISK_BYTES)
  if (PROGRAM.length > PACKET_AT)
    throw new RangeError(`the program reaches 0x${(LOAD + PROGRAM.length).toString(16)}`)
  disk.set(PROGRAM)
  disk.set(PACKET, PACKET_AT)
  disk.set([0x55, 0xaa], SECTOR - 2)
  disk.set(new TextEncoder().encode(`${text}\r\n\0`), SECTOR)
  return disk
}
