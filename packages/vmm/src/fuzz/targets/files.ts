/** Files that somebody else may have made: kernels and disk images; snapshots are in snapshot.ts. */
import { BootError, imageOfBytes } from '../../boot/image-file.ts'
import { loadGuest } from '../../boot/load.ts'
import { hvtKernel } from '../../boot/testing/hvt-kernel.ts'
import { bzImage, elf, elf32 } from '../../boot/testing/images.ts'
import { multibootKernel } from '../../boot/testing/multiboot-kernel.ts'
import { checkImage } from '../../disk/qcow2/check.ts'
import { Qcow2Error } from '../../disk/qcow2/errors.ts'
import { CLUSTER } from '../../disk/qcow2/format.ts'
import { openQcow2File, readHeader } from '../../disk/qcow2/open.ts'
import { MemoryFile } from '../../disk/qcow2/testing/files.ts'
import { GuestBuffer, Random } from '../../disk/qcow2/testing/support.ts'
import { diskFirmware } from '../../firmware/detect.ts'
import { memoryMap } from '../../machine/layout.ts'
import { GuestMemory } from '../../memory/guest-memory.ts'
import { SystemError } from '../../sys/libc.ts'
import { ByteSource, EDGES } from '../byte-source.ts'
import type { FuzzTarget } from '../target.ts'

const MIB = 1 << 20
/** What a unikernel finds behind its manifest. */
const HVT = {
  devices: { disks: [{ bytes: MIB }], nets: [{ mac: [2, 0, 0, 0, 0, 1], mtu: 1500 }] },
  tscHertz: 1e9,
}

/** Overwrites fields of a good file: where, how wide and with what says the input. */
function damaged(good: Uint8Array, source: ByteSource, reach: number): Uint8Array {
  const bytes = new Uint8Array(good)
  const view = new DataView(bytes.buffer)
  const changes = 1 + source.below(8)
  for (let i = 0; i < changes; i++) {
    const at = source.below(Math.min(reach, bytes.length - 8))
    const value = source.below(2) === 0 ? source.pick(EDGES) : source.u32()
    const width = source.below(3)
    if (width === 0) view.setUint8(at, value & 0xff)
    else if (width === 1) view.setUint16(at, value & 0xffff, true)
    else view.setUint32(at, value, true)
  }
  return source.oneIn(8) ? bytes.slice(0, source.below(bytes.length + 1)) : bytes
}

function kernelTarget(name: string, about: string, make: () => Uint8Array): FuzzTarget {
  const ramBytes = 32 * MIB
  let memory: GuestMemory | undefined
  return {
    name,
    about,
    runsInTest: 500,
    run(input) {
      const source = new ByteSource(input)
      const kernel = imageOfBytes(source.oneIn(16) ? source.rest() : damaged(make(), source, 1024))
      // Made once: what lies in it from before changes nothing of what is loaded.
      memory ??= GuestMemory.ofBuffers([{ guestAddress: 0, buffer: new ArrayBuffer(ramBytes) }])
      const initrd = imageOfBytes(new Uint8Array(source.below(70_000)))
      try {
        const entry = loadGuest(
          { kernel, initrd, commandLine: 'console=ttyS0' },
          { memory, ramBytes, memoryMap: memoryMap(ramBytes), rsdp: 0xe_0000, hvt: HVT },
        )
        if (!Number.isFinite(entry.regs.rip)) throw new Error(`it is entered at ${entry.regs.rip}`)
      } catch (error) {
        if (!(error instanceof BootError)) throw error
      }
    },
  }
}

const firmwareKind: FuzzTarget = {
  name: 'disk-head',
  about: "a disk's first sectors, looked at to choose the firmware",
  runsInTest: 300,
  run: (input) => void diskFirmware(damaged(new Uint8Array(17 * 1024), new ByteSource(input), 17 * 1024)),
}

let image: MemoryFile | undefined
/** 64 MiB with data, zeroes and holes. */
function goodImage(): MemoryFile {
  if (image) return image
  const file = new MemoryFile()
  // Header, refcount table, refcount block, L1; what createQcow2 writes, in memory.
  const header = new DataView(new ArrayBuffer(CLUSTER))
  header.setUint32(0, 0x5146_49fb)
  header.setUint32(4, 3)
  header.setUint32(20, 16)
  header.setUint32(28, 64 * MIB)
  header.setUint32(36, 1)
  header.setUint32(44, 3 * CLUSTER)
  header.setUint32(52, CLUSTER)
  header.setUint32(56, 1)
  header.setUint32(96, 4)
  header.setUint32(100, 104)
  file.put(0, new Uint8Array(header.buffer))
  const table = new Uint8Array(CLUSTER)
  new DataView(table.buffer).setUint32(4, 2 * CLUSTER)
  file.put(CLUSTER, table)
  const block = new Uint8Array(CLUSTER)
  for (let i = 0; i < 4; i++) block[2 * i + 1] = 1
  file.put(2 * CLUSTER, block)
  file.put(3 * CLUSTER, new Uint8Array(CLUSTER))
  const guest = new GuestBuffer(MIB, new Random(1))
  const disk = openQcow2File(file.clone(), 'good')
  disk.abandon()
  const open = openQcow2File(file, 'good')
  guest.write(open, 0, new Uint8Array(MIB).fill(2))
  open.writeZeroes(MIB, MIB, true)
  open.writeZeroes(CLUSTER, 2 * CLUSTER, false)
  open.discard(8 * CLUSTER, CLUSTER)
  open.close()
  guest.close()
  image = file
  return file
}

const qcow2: FuzzTarget = {
  name: 'qcow2',
  about: 'a damaged disk image, opened, used and closed',
  runsInTest: 150,
  run(input) {
    const source = new ByteSource(input)
    const file = goodImage().clone()
    for (let changes = 1 + source.below(4); changes > 0; changes--) {
      const table = source.below(6)
      const at = table === 0 ? source.below(112) : table * CLUSTER + source.below(320)
      const field = source.take(1 << source.below(4))
      if (source.below(2) === 0) new DataView(field.buffer).setUint8(0, source.pick([0, 1, 0x40, 0x80, 0xff]))
      file.put(at, field)
    }
    const guest = new GuestBuffer(MIB, new Random(1))
    /** An error of the kinds the disk engine promises is an answer; any other is a fault of ours. */
    const named = (step: () => void): void => {
      try {
        step()
      } catch (error) {
        const promised =
          error instanceof Qcow2Error ||
          error instanceof SystemError ||
          (error instanceof RangeError && /outside a disk/.test(error.message))
        if (!promised) throw error
      }
    }
    named(() => void checkImage(file, readHeader(file, 'fuzz'), 'fuzz', false))
    named(() => {
      const disk = openQcow2File(file, 'fuzz', null, 4)
      for (let step = 0; step < 12 && !source.done; step++) {
        const at = source.below(1024) * 512 * 64
        const length = source.pick([512, 4096, 65536, MIB])
        named(() => {
          const action = source.below(5)
          if (action === 0) guest.read(disk, at, length)
          else if (action === 1) guest.write(disk, at, new Uint8Array(length).fill(0xee))
          else if (action === 2) disk.discard(at, length)
          else if (action === 3) disk.writeZeroes(at, length, source.below(2) === 0)
          else disk.flush()
        })
      }
      named(() => disk.close())
    })
    guest.close()
  },
}

export const fileTargets: readonly FuzzTarget[] = [
  kernelTarget('bzimage', 'a Linux bzImage', () => bzImage()),
  kernelTarget('elf', 'an ELF kernel', () =>
    elf({ segments: [{ address: MIB, data: new Uint8Array(4096), memorySize: 8192 }] }),
  ),
  kernelTarget('elf32', 'a 32-bit ELF kernel with a PVH entry', () => elf32(MIB)),
  kernelTarget('multiboot', 'a Multiboot kernel, by its own addresses', () => multibootKernel('addresses')),
  kernelTarget('multiboot-elf', 'a Multiboot kernel in a 32-bit ELF', () => multibootKernel('elf')),
  kernelTarget('hvt', 'a Solo5 unikernel and its manifest', () =>
    hvtKernel([], { devices: ['block', 'net'] }),
  ),
  firmwareKind,
  qcow2,
]
