/**
 * Guests of a few instructions, the same bytes in 32-bit and in 64-bit mode, entered by PVH: what every monitor can
 * start, and what does nothing but what is measured.
 */
const ADDRESS = 0x10_0000
/** Where the C loop has the code: it loads it as it is. */
const COM1 = 0x3f8
/** A port that no monitor hands to a device, and the data register of the clock, which is a device of each. */
const NOBODY = 0x80
const CLOCK = 0x71

const le32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]
const movEdx = (value: number): number[] => [0xba, ...le32(value)]
/** mov edx, COM1; mov al, c; out dx, al */
const print = (c: string): number[] => [...movEdx(COM1), 0xb0, c.charCodeAt(0), 0xee]
/** mov edx, port; mov ecx, count; again: in al, dx (or out dx, al); dec ecx; jnz again */
const repeat = (access: number, port: number, count: number): number[] => [
  ...movEdx(port),
  ...[0xb9, ...le32(count)],
  ...[access, 0xff, 0xc9, 0x75, 0xfb],
]
const IN = 0xec
const OUT = 0xee

/** Says that it runs, then halts for ever. */
export const helloCode: readonly number[] = [...print('a'), 0xf4, 0xeb, 0xfd]

/** For ever: `a`, so many writes that nobody listens to, `b`, so many reads of the clock, `c`. */
export function portCode(count: number): readonly number[] {
  const lap = [
    ...print('a'),
    ...repeat(OUT, NOBODY, count),
    ...print('b'),
    ...repeat(IN, CLOCK, count),
    ...print('c'),
  ]
  return [...lap, 0xe9, ...le32(-(lap.length + 5))]
}

/** As an ELF-64 file with one segment of code, entered by PVH (xen/include/public/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY). */
export function bareKernel(code: readonly number[]): Uint8Array {
  const codeAt = 0x1000
  const noteAt = 0x200
  const bytes = new Uint8Array(codeAt + code.length)
  const view = new DataView(bytes.buffer)
  const program = (at: number, kind: number, offset: number, address: number, size: number): void => {
    view.setUint32(at, kind, true)
    view.setUint32(at + 4, 5, true)
    for (const [field, value] of [offset, address, address, size, size, 4].entries()) {
      view.setBigUint64(at + 8 + field * 8, BigInt(value), true)
    }
  }
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  for (const [at, value] of [
    [16, 2],
    [18, 62],
    [20, 1],
    [52, 64],
    [54, 56],
    [56, 2],
  ] as const) {
    view.setUint16(at, value, true)
  }
  view.setUint32(24, ADDRESS, true)
  view.setUint32(32, 64, true)
  program(64, 1, codeAt, ADDRESS, code.length)
  program(120, 4, noteAt, 0, 20)
  for (const [word, value] of [4, 4, 18, 0x006e_6558, ADDRESS].entries()) {
    view.setUint32(noteAt + word * 4, value, true)
  }
  bytes.set(code, codeAt)
  return bytes
}
