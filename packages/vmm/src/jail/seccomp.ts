import { check } from '../sys/libc.ts'
import { NativeBuffer } from '../sys/native-buffer.ts'
import { seccomp } from './system.ts'

const SECCOMP_SET_MODE_FILTER = 1
/** Every thread of the process gets the filter, and no_new_privs with it; or none does. */
const SECCOMP_FILTER_FLAG_TSYNC = 1
const INSTRUCTION_BYTES = 8

/** Puts the filter on all threads, for ever. Throws SystemError. */
export function installFilter(program: Uint8Array): void {
  const memory = new NativeBuffer(program.length)
  try {
    memory.bytes.set(program)
    // struct sock_fprog {u16 length; 6 bytes of padding; u64 address}
    const description = new DataView(new ArrayBuffer(16))
    description.setUint16(0, program.length / INSTRUCTION_BYTES, true)
    description.setBigUint64(8, BigInt(memory.address), true)
    const result = seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, description)
    if (check('seccomp', result) > 0)
      throw new Error(`seccomp: thread ${result} could not be given the filter`)
  } finally {
    memory.free()
  }
}
