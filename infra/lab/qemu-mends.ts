/**
 * Two faults of QEMU's software CPU, mended in the program that Debian made (docs/lab.md): no released version is
 * without them, and either one ends tests that are right.
 *
 * 1. An interrupt that VMRUN injects may be delivered twice. The case for EVENTINJ of type INTR leaves the vector behind
 *    as a pending exception, which the next kick of the CPU that brings no interrupt delivers once more, whether the
 *    guest allows interrupts at that moment or not: it crashes, or waits for ever for a lock it holds itself. The
 *    store is taken out: the interrupt has been delivered when the case ends.
 * 2. A guest's write to CR8 (its task priority) while an interrupt waits raises that interrupt by the function meant for
 *    other threads, which ends QEMU because the thread holds no lock. The jump goes to the function for a CPU's own
 *    thread instead.
 */

/** Mends both in `program`, in place. Throws where it does not find exactly the code it knows. */
export function mendQemu(program: Buffer): void {
  const symbol = dynamicSymbols(program)
  mendInjection(codeOf(program, symbol('helper_vmrun')))
  const write = symbol('helper_write_crN')
  mendPriority(codeOf(program, write), write.address, {
    from: symbol('cpu_interrupt').address,
    to: symbol('tcg_handle_interrupt').address,
  })
}

/**
 * In hexadecimal: `movzbl %r12b,%esi` (the vector), then four stores through %rbx: error code, **exception index**, not
 * from an INT instruction, and the next address, -1. Only the second has %esi for its source.
 */
const INJECTION = /410fb6f44489ab.{8}(89b3.{8})c783.{8}0{8}48c783.{8}f{8}/dg
/** NOP of six bytes (Intel SDM volume 2, NOP). */
const NOP6 = Buffer.from([0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00])

function mendInjection(code: Buffer): void {
  const [match, ...more] = code.toString('hex').matchAll(INJECTION)
  if (!match?.indices || more.length > 0) throw new Error('helper_vmrun is not the code that is known')
  NOP6.copy(code, match.indices[1]![0] / 2)
}

function mendPriority(code: Buffer, address: number, jump: { from: number; to: number }): void {
  const found: number[] = []
  for (let at = 0; at + 5 <= code.length; at++) {
    // JMP rel32, from the end of the instruction.
    if (code[at] === 0xe9 && address + at + 5 + code.readInt32LE(at + 1) === jump.from) found.push(at)
  }
  const [at, ...more] = found
  if (at === undefined || more.length > 0) throw new Error('helper_write_crN is not the code that is known')
  code.writeInt32LE(jump.to - (address + at + 5), at + 1)
}

interface FunctionSymbol {
  readonly address: number
  readonly size: number
}

const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT_SYMTAB = 6
const DT_STRTAB = 5
const DT_STRSZ = 10

/** Looks functions up among those an ELF program exports (ELF-64 Object File Format; System V ABI, chapter 5). */
function dynamicSymbols(program: Buffer): (name: string) => FunctionSymbol {
  const entries = new Map<number, number>()
  for (const header of programHeaders(program)) {
    if (header.type !== PT_DYNAMIC) continue
    for (let at = header.offset; at < header.offset + header.fileSize; at += 16) {
      entries.set(Number(program.readBigUInt64LE(at)), Number(program.readBigUInt64LE(at + 8)))
    }
  }
  const [symbols, strings, length] = [DT_SYMTAB, DT_STRTAB, DT_STRSZ].map((tag) => entries.get(tag))
  if (symbols === undefined || strings === undefined || length === undefined)
    throw new Error('it exports no symbols')
  const names = program.subarray(offsetOf(program, strings), offsetOf(program, strings) + length)
  const table = offsetOf(program, symbols)
  return (name) => {
    // The table carries no length; linkers put its strings right behind it.
    for (let at = table; at + 24 <= program.length && at < offsetOf(program, strings); at += 24) {
      const start = program.readUInt32LE(at)
      if (names.toString('latin1', start, start + name.length + 1) !== `${name}\0`) continue
      return {
        address: Number(program.readBigUInt64LE(at + 8)),
        size: Number(program.readBigUInt64LE(at + 16)),
      }
    }
    throw new Error(`it exports no ${name}`)
  }
}

const codeOf = (program: Buffer, symbol: FunctionSymbol): Buffer => {
  const offset = offsetOf(program, symbol.address)
  return program.subarray(offset, offset + symbol.size)
}

function offsetOf(program: Buffer, address: number): number {
  for (const { type, offset, virtualAddress, fileSize } of programHeaders(program)) {
    if (type === PT_LOAD && address >= virtualAddress && address < virtualAddress + fileSize)
      return address - virtualAddress + offset
  }
  throw new Error(`address ${address} is not in the file`)
}

function programHeaders(program: Buffer) {
  if (program.length < 64 || program.readUInt32BE(0) !== 0x7f454c46 || program[4] !== 2)
    throw new Error('it is no 64-bit ELF program')
  const start = Number(program.readBigUInt64LE(32))
  const size = program.readUInt16LE(54)
  return Array.from({ length: program.readUInt16LE(56) }, (_, index) => {
    const at = start + index * size
    return {
      type: program.readUInt32LE(at),
      offset: Number(program.readBigUInt64LE(at + 8)),
      virtualAddress: Number(program.readBigUInt64LE(at + 16)),
      fileSize: Number(program.readBigUInt64LE(at + 32)),
    }
  })
}
