/** The PVH entry (xen/include/public/arch-x86/hvm/start_info.h): 32-bit protected mode, EBX points to hvm_start_info. */
import type { EntryState } from '../kvm/vcpu.ts'
import { BOOT, type E820Entry } from '../machine/layout.ts'
import type { GuestMemory } from '../memory/guest-memory.ts'

const XEN_HVM_START_MAGIC_VALUE = 0x336e_c578
const START_INFO_SIZE = 56
const MODULE_SIZE = 32
const MEMMAP_ENTRY_SIZE = 24
const CR0_PE = 1
const CR0_ET = 1 << 4

export interface PvhBootData {
  readonly memoryMap: readonly E820Entry[]
  readonly rsdp: number
  readonly initrd: { address: number; size: number } | undefined
}

export function writeStartInfo(memory: GuestMemory, data: PvhBootData): void {
  const info = new DataView(new ArrayBuffer(START_INFO_SIZE))
  info.setUint32(0, XEN_HVM_START_MAGIC_VALUE, true)
  info.setUint32(4, 1, true)
  info.setUint32(12, data.initrd ? 1 : 0, true)
  info.setUint32(16, data.initrd ? BOOT.pvhModules : 0, true)
  info.setUint32(24, BOOT.commandLine, true)
  info.setUint32(32, data.rsdp, true)
  info.setUint32(40, BOOT.pvhMemoryMap, true)
  info.setUint32(48, data.memoryMap.length, true)
  memory.write(BOOT.pvhStartInfo, new Uint8Array(info.buffer))

  if (data.initrd) {
    const module = new DataView(new ArrayBuffer(MODULE_SIZE))
    module.setUint32(0, data.initrd.address, true)
    module.setUint32(8, data.initrd.size, true)
    memory.write(BOOT.pvhModules, new Uint8Array(module.buffer))
  }
  const map = new DataView(new ArrayBuffer(data.memoryMap.length * MEMMAP_ENTRY_SIZE))
  for (const [i, entry] of data.memoryMap.entries()) {
    map.setBigUint64(i * MEMMAP_ENTRY_SIZE, BigInt(entry.start), true)
    map.setBigUint64(i * MEMMAP_ENTRY_SIZE + 8, BigInt(entry.size), true)
    map.setUint32(i * MEMMAP_ENTRY_SIZE + 16, entry.type, true)
  }
  memory.write(BOOT.pvhMemoryMap, new Uint8Array(map.buffer))
}

export function enterPvh(memory: GuestMemory, entry: number): EntryState {
  const descriptors = new BigUint64Array([
    0n,
    0x00cf_9b00_0000_ffffn,
    0x00cf_9300_0000_ffffn,
    0x008f_8b00_0000_ffffn,
  ])
  memory.write(BOOT.gdt, new Uint8Array(descriptors.buffer))
  return {
    regs: { rip: entry, rbx: BOOT.pvhStartInfo },
    code: { selector: 8, base: 0, limit: 0xffff_ffff, type: 0xb, s: 1, db: 1, g: 1 },
    data: { selector: 0x10, base: 0, limit: 0xffff_ffff, type: 3, s: 1, db: 1, g: 1 },
    tss: { selector: 0x18, base: 0, limit: 0x67, type: 0xb, s: 0 },
    gdt: { base: BOOT.gdt, limit: descriptors.length * 8 - 1 },
    cr0: CR0_PE | CR0_ET,
    cr3: 0,
    cr4: 0,
    efer: 0,
  }
}
