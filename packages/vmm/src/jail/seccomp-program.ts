/**
 * Builds the seccomp filter as a program of the classic Berkeley Packet Filter over struct seccomp_data
 * (seccomp(2), Documentation/userspace-api/seccomp_filter.rst). x86-64 only.
 */

/** <linux/bpf_common.h>: BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JGE|BPF_K, BPF_RET|BPF_K. */
const LOAD = 0x20
const JUMP_IF_EQUAL = 0x15
const JUMP_IF_AT_LEAST = 0x35
const RETURN = 0x06
const INSTRUCTION_BYTES = 8
/** BPF_MAXINSNS. */
const MAX_INSTRUCTIONS = 4096

/** struct seccomp_data {s32 nr; u32 arch; u64 instruction_pointer; u64 args[6]} */
const DATA = { number: 0, architecture: 4, argument: (index: number) => 16 + 8 * index } as const
const AUDIT_ARCH_X86_64 = 0xc000_003e
/** Numbers from here on are the x32 ABI's, which reaches the same calls by other numbers. */
const X32_SYSCALL_BIT = 0x4000_0000

const SECCOMP_RET = { KILL_PROCESS: 0x8000_0000, ERRNO: 0x0005_0000, ALLOW: 0x7fff_0000 } as const
const EPERM = 1

/**
 * A system call that may be made; with `argument`, only when that argument has one of the values. Only the low 32
 * bits of an argument are compared, which is all the kernel looks at where this is used; `wide` compares all 64.
 */
export interface SystemCallRule {
  readonly number: number
  readonly argument?: {
    readonly index: number
    readonly values: readonly number[]
    readonly wide?: boolean
  }
}

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number]

/**
 * The program that allows what `rules` name, in this order (frequent ones first), and answers EPERM to everything
 * else. EPERM and not death: a call nobody foresaw then costs a feature, not somebody's VM, and it gives nothing.
 */
export function seccompProgram(rules: readonly SystemCallRule[]): Uint8Array {
  const refuse: Instruction = [RETURN, 0, 0, SECCOMP_RET.ERRNO | EPERM]
  const allow: Instruction = [RETURN, 0, 0, SECCOMP_RET.ALLOW]
  const program: Instruction[] = [
    [LOAD, 0, 0, DATA.architecture],
    [JUMP_IF_EQUAL, 1, 0, AUDIT_ARCH_X86_64],
    [RETURN, 0, 0, SECCOMP_RET.KILL_PROCESS],
    [LOAD, 0, 0, DATA.number],
    [JUMP_IF_AT_LEAST, 0, 1, X32_SYSCALL_BIT],
    refuse,
  ]
  for (const { number, argument } of rules) {
    if (argument === undefined) {
      program.push([JUMP_IF_EQUAL, 0, 1, number], allow)
      continue
    }
    // Every block ends with a verdict, so the accumulator's loss of the number does not matter.
    const block = argument.values.flatMap((value): Instruction[] => {
      const low: Instruction[] = [
        [LOAD, 0, 0, DATA.argument(argument.index)],
        [JUMP_IF_EQUAL, 0, argument.wide ? 3 : 1, value % 2 ** 32],
      ]
      const high: Instruction[] = [
        [LOAD, 0, 0, DATA.argument(argument.index) + 4],
        [JUMP_IF_EQUAL, 0, 1, Math.floor(value / 2 ** 32)],
      ]
      return [...low, ...(argument.wide ? high : []), allow]
    })
    block.push(refuse)
    // A jump reaches 255 instructions.
    if (block.length > 255) throw new RangeError(`too many values for system call ${number}`)
    program.push([JUMP_IF_EQUAL, 0, block.length, number], ...block)
  }
  program.push(refuse)
  if (program.length > MAX_INSTRUCTIONS) throw new RangeError('the filter is too long')
  return encode(program)
}

/** struct sock_filter {u16 code; u8 jt; u8 jf; u32 k} each. */
function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(program.length * INSTRUCTION_BYTES))
  for (const [i, [code, ifTrue, ifFalse, operand]] of program.entries()) {
    const at = i * INSTRUCTION_BYTES
    bytes.setUint16(at, code, true)
    bytes.setUint8(at + 2, ifTrue)
    bytes.setUint8(at + 3, ifFalse)
    bytes.setUint32(at + 4, operand, true)
  }
  return new Uint8Array(bytes.buffer)
}
