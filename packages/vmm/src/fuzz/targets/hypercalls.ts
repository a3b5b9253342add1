/** What a Solo5 unikernel may ask of its monitor: any call with any arguments, over real descriptors. */
import { Uart } from '../../chipset/uart.ts'
import { HYPERCALL_PORTS, Hypercalls } from '../../hvt/hypercalls.ts'
import { GuestMemory } from '../../memory/guest-memory.ts'
import { allocateGuestRam } from '../../memory/guest-ram.ts'
import * as libc from '../../sys/libc.ts'
import { ByteSource, EDGES } from '../byte-source.ts'
import type { FuzzTarget } from '../target.ts'

const RAM = 1 << 20
const DISK = 64 * 512
const EFD_SEMAPHORE = 1
const [AF_UNIX, SOCK_DGRAM, SOCK_NONBLOCK] = [1, 2, 2048]

/** Arguments in and across the end of RAM; fields that fit now and then. */
const ADDRESSES = [0x1000, 0x2000, RAM - 40, RAM - 16, RAM - 4, RAM, 0] as const
const VALUES = [...EDGES, 1024, 1500, 0x3000, RAM - 512, DISK - 512, DISK, 2 ** 40, 2 ** 52] as const

export const hypercalls: FuzzTarget = {
  name: 'hypercalls',
  about: 'the hypercalls of a Solo5 unikernel',
  runsInTest: 300,
  run(input) {
    const source = new ByteSource(input)
    const ram = allocateGuestRam([{ guestAddress: 0, size: RAM }])
    const memory = new GuestMemory(ram.regions)
    const disk = libc.check('memfd_create', libc.memfdCreate('fuzz', 0))
    libc.check('ftruncate', libc.ftruncate(disk, DISK))
    const pair = new Int32Array(2)
    libc.check('socketpair', libc.socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
    // Always something to read, so that no poll waits.
    const busy = libc.check('eventfd', libc.eventfdCreate(1 << 20, libc.EFD.NONBLOCK | EFD_SEMAPHORE))
    const attentionFd = libc.check('eventfd', libc.eventfdCreate(0, libc.EFD.NONBLOCK))
    const calls = new Hypercalls({
      memory,
      uart: new Uart({ shared: Uart.allocate(), irqFd: attentionFd, attentionFd }),
      devices: [
        undefined,
        { kind: 'block', fd: disk, bytes: DISK, readOnly: false },
        { kind: 'block', fd: disk, bytes: DISK, readOnly: true },
        { kind: 'net', fd: pair[0]! },
        { kind: 'net', fd: busy },
      ],
    })
    try {
      while (!source.done) {
        const at = source.pick(ADDRESSES)
        for (let field = 0; field < 4; field++) {
          const value = source.oneIn(4) ? source.u32() : field === 0 ? source.below(6) : source.pick(VALUES)
          if (memory.contains(at + field * 8, 8)) memory.writeU64(at + field * 8, value)
        }
        if (source.oneIn(3)) libc.write(pair[1]!, source.take(source.below(64)), 64)
        const outcome = calls.call(source.below(HYPERCALL_PORTS), at)
        if (outcome === 'interrupted') throw new Error('nobody interrupts it')
      }
      for (const [i, value] of [1, 512, 0x2000, 512].entries()) memory.writeU64(0x1000 + i * 8, value)
      calls.call(5, 0x1000)
      if (memory.readU32(0x1000 + 32) !== 0) throw new Error('an honest unikernel is not served')
    } finally {
      calls.close()
      ram.close()
      for (const fd of [disk, busy, attentionFd, ...pair]) libc.close(fd)
    }
  },
}
