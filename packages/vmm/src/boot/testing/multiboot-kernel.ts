/** A Multiboot kernel of a few instructions: prints its command line and its first module's text and content. */
const ADDRESS = 0x10_0000
const HEADER_BYTES = 32
const le32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]

const PUTS = [
  // mov edx, COM1; next: lodsb; test al, al; jz done; out dx, al; jmp next; done: mov al, '\n'; out dx, al; ret
  ...[0xba, 0xf8, 0x03, 0, 0, 0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8, 0xb0, 0x0a, 0xee, 0xc3],
]
const POWER_OFF = [
  // mov edx, 0x604; mov ax, S5 and SLP_EN; out dx, ax; again: hlt; jmp again
  ...[0xba, 0x04, 0x06, 0, 0, 0x66, 0xb8, 0x00, 0x34, 0x66, 0xef, 0xf4, 0xeb, 0xfd],
]

function code(): number[] {
  const parts = [
    // mov esi, [ebx + 16] (the command line)
    [0x8b, 0x73, 0x10],
    // mov ecx, [ebx + 24] (the modules); mov esi, [ecx + 8] (the text)
    [0x8b, 0x4b, 0x18, 0x8b, 0x71, 0x08],
    // mov ecx, [ebx + 24]; mov esi, [ecx] (where it begins)
    [0x8b, 0x4b, 0x18, 0x8b, 0x31],
  ]
  const length = parts.reduce((sum, part) => sum + part.length + 5, 0)
  const bytes: number[] = []
  for (const part of parts) {
    bytes.push(...part)
    // call puts, which lies behind the power-off.
    bytes.push(0xe8, ...le32(length + POWER_OFF.length - bytes.length - 5))
  }
  // mov esp, a stack of its own; cmp eax, magic; jne power off
  const check = [0xbc, ...le32(ADDRESS + 0x4000), 0x3d, ...le32(0x2bad_b002), 0x75, length]
  return [...check, ...bytes, ...POWER_OFF, ...PUTS]
}

/** By the addresses in its header, or as a 32-bit ELF. `flags` are added to the header's. */
export function multibootKernel(how: 'addresses' | 'elf', flags = 0): Uint8Array {
  const own = (how === 'addresses' ? 0x1_0003 : 3) | flags
  const checksum = -(0x1bad_b002 + own) >>> 0
  const addresses = [ADDRESS, ADDRESS, 0, ADDRESS + 0x4000, ADDRESS + HEADER_BYTES]
  const header = [0x1bad_b002, own, checksum, ...(how === 'addresses' ? addresses : [0, 0, 0, 0, 0])].flatMap(
    le32,
  )
  const image = [...header, ...code()]
  if (how === 'addresses') return Uint8Array.from(image)
  const bytes = Buffer.alloc(84 + image.length)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
  bytes.writeUInt16LE(2, 16)
  bytes.writeUInt16LE(3, 18)
  bytes.writeUInt32LE(ADDRESS + HEADER_BYTES, 24)
  bytes.writeUInt32LE(52, 28)
  bytes.writeUInt16LE(32, 42)
  bytes.writeUInt16LE(1, 44)
  const program = [1, 84, ADDRESS, ADDRESS, image.length, 0x4000, 7, 4]
  for (const [i, value] of program.entries()) bytes.writeUInt32LE(value, 52 + i * 4)
  bytes.set(image, 84)
  return bytes
}
