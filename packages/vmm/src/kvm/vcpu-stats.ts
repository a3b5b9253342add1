/** What KVM counts of a vCPU (api.rst 4.134 KVM_GET_STATS_FD): read without touching the vCPU, from any thread. */
import { readSync } from 'node:fs'
import { close, ioctlInt } from '../sys/libc.ts'
import { KVM_GET_STATS_FD } from './api.ts'

/** struct kvm_stats_header and struct kvm_stats_desc, without the name that follows. */
const HEADER = { nameSize: 4, count: 8, descriptors: 16, data: 20, bytes: 24 } as const
const DESCRIPTOR = { offset: 8, name: 16 } as const

/** A descriptor of each vCPU's figures, to be closed by the caller; undefined where this kernel (before 5.14) has none. */
export function openAllStats(vcpus: readonly { readonly fd: number }[]): readonly number[] | undefined {
  const fds = vcpus.map(({ fd }) => ioctlInt(fd, KVM_GET_STATS_FD, 0))
  if (fds.every((fd) => fd >= 0)) return fds
  for (const fd of fds) if (fd >= 0) close(fd)
  return undefined
}

export class VcpuStats {
  private readonly fd: number
  private readonly word = Buffer.alloc(8)
  private readonly halts: number
  private readonly blocking: number

  /** `fd` stays the caller's. Throws when this kernel (before 5.17) does not tell what is asked for here. */
  constructor(fd: number) {
    this.fd = fd
    const places = readPlaces(fd)
    const [halts, blocking] = [places.get('halt_exits'), places.get('blocking')]
    if (halts === undefined || blocking === undefined) throw new Error('KVM does not tell when vCPUs halt')
    this.halts = halts
    this.blocking = blocking
  }

  /** How often the guest had nothing to do on this vCPU and halted it. */
  haltCount(): bigint {
    return this.at(this.halts)
  }

  /** Whether it is halted, or was never started. */
  isHalted(): boolean {
    return this.at(this.blocking) !== 0n
  }

  private at(offset: number): bigint {
    readSync(this.fd, this.word, 0, 8, offset)
    return this.word.readBigUInt64LE()
  }
}

/** Where each figure lies in the file. */
function readPlaces(fd: number): Map<string, number> {
  const header = Buffer.alloc(HEADER.bytes)
  readSync(fd, header, 0, HEADER.bytes, 0)
  const [count, data] = [header.readUInt32LE(HEADER.count), header.readUInt32LE(HEADER.data)]
  const stride = DESCRIPTOR.name + header.readUInt32LE(HEADER.nameSize)
  const descriptors = Buffer.alloc(count * stride)
  readSync(fd, descriptors, 0, descriptors.length, header.readUInt32LE(HEADER.descriptors))
  const places = new Map<string, number>()
  for (let at = 0; at < descriptors.length; at += stride) {
    const name = descriptors.toString('latin1', at + DESCRIPTOR.name, at + stride).replace(/\0.*$/s, '')
    places.set(name, data + descriptors.readUInt32LE(at + DESCRIPTOR.offset))
  }
  return places
}
