/**
 * The CPU the guest sees: what KVM can give (KVM_GET_SUPPORTED_CPUID), with the topology of this machine (one
 * socket, one thread per core) written into every leaf that tells of it.
 */
import { check, errno, ioctl } from '../sys/libc.ts'
import { KVM_GET_SUPPORTED_CPUID, SIZE } from './api.ts'

export interface CpuidEntry {
  readonly function: number
  readonly index: number
  readonly flags: number
  readonly eax: number
  readonly ebx: number
  readonly ecx: number
  readonly edx: number
}

const E2BIG = 7
const HEADER = 8

export function readSupportedCpuid(kvmFd: number): CpuidEntry[] {
  for (let room = 128; room <= 4096; room *= 2) {
    const buffer = new DataView(new ArrayBuffer(HEADER + room * SIZE.cpuidEntry))
    buffer.setUint32(0, room, true)
    const result = ioctl(kvmFd, KVM_GET_SUPPORTED_CPUID, buffer)
    if (result < 0 && errno() === E2BIG) continue
    check('KVM_GET_SUPPORTED_CPUID', result)
    return decodeCpuid(buffer)
  }
  throw new Error('KVM_GET_SUPPORTED_CPUID reports more than 4096 entries')
}

function decodeCpuid(view: DataView): CpuidEntry[] {
  return Array.from({ length: view.getUint32(0, true) }, (_, i) => {
    const word = (n: number): number => view.getUint32(HEADER + i * SIZE.cpuidEntry + n * 4, true)
    return {
      function: word(0),
      index: word(1),
      flags: word(2),
      eax: word(3),
      ebx: word(4),
      ecx: word(5),
      edx: word(6),
    }
  })
}

export function encodeCpuid(entries: readonly CpuidEntry[]): DataView {
  const view = new DataView(new ArrayBuffer(HEADER + entries.length * SIZE.cpuidEntry))
  view.setUint32(0, entries.length, true)
  for (const [i, e] of entries.entries()) {
    const words = [e.function, e.index, e.flags, e.eax, e.ebx, e.ecx, e.edx]
    for (const [n, word] of words.entries())
      view.setUint32(HEADER + i * SIZE.cpuidEntry + n * 4, word >>> 0, true)
  }
  return view
}

/** Bits of leaf 1. */
const HTT = 1 << 28
const VMX = 1 << 5
const TSC_DEADLINE = 1 << 24
const HYPERVISOR = 1 << 31
/** Bits of leaf 0x80000001 ECX. */
const CMP_LEGACY = 1 << 1
const SVM = 1 << 2
const PERFCTR_CORE = 1 << 23

export interface Topology {
  readonly cpus: number
  /** This vCPU; its APIC id is the same number. */
  readonly cpu: number
  readonly tscDeadlineTimer: boolean
}

/**
 * The leaves vCPU `cpu` gets. Nested virtualisation and performance counters are not offered: both would hand
 * a guest parts of the host that this monitor neither accounts for nor cleans up.
 */
export function guestCpuid(supported: readonly CpuidEntry[], topology: Topology): CpuidEntry[] {
  const { cpus, cpu } = topology
  /** Bits of an APIC id that tell cores of the socket apart. */
  const coreBits = Math.ceil(Math.log2(cpus))
  const result = supported
    .filter((e) => e.function !== 0xb && e.function !== 0x1f)
    .map((e): CpuidEntry => {
      switch (e.function) {
        case 1: {
          let ecx = (e.ecx & ~VMX) | HYPERVISOR
          if (topology.tscDeadlineTimer) ecx |= TSC_DEADLINE
          return {
            ...e,
            ebx: (e.ebx & 0xffff) | (1 << (coreBits + 16)) | (cpu << 24),
            ecx,
            edx: cpus > 1 ? e.edx | HTT : e.edx & ~HTT,
          }
        }
        case 4:
        case 0x8000_001d: {
          if ((e.eax & 0x1f) === 0) return e
          const level = (e.eax >>> 5) & 7
          // A core has its own first two levels; the last one is the socket's.
          const sharing = level >= 3 ? (1 << coreBits) - 1 : 0
          const cores = e.function === 4 ? ((1 << coreBits) - 1) & 0x3f : 0
          return { ...e, eax: (e.eax & 0x3fff) | (sharing << 14) | (cores << 26) }
        }
        case 0xa:
        case 0x8000_0022:
          return { ...e, eax: 0, ebx: 0, ecx: 0, edx: 0 }
        case 0x8000_0001: {
          const ecx = e.ecx & ~(SVM | PERFCTR_CORE | CMP_LEGACY)
          return { ...e, ecx: cpus > 1 ? ecx | CMP_LEGACY : ecx }
        }
        case 0x8000_0008:
          return { ...e, ecx: (cpus - 1) | (coreBits << 12) }
        case 0x8000_000a:
          return { ...e, eax: 0, ebx: 0, ecx: 0, edx: 0 }
        case 0x8000_001e:
          return { ...e, eax: cpu, ebx: cpu & 0xff, ecx: 0, edx: 0 }
        default:
          return e
      }
    })
  const highest = supported.find((e) => e.function === 0)?.eax ?? 0
  if (highest >= 0xb) result.push(...topologyLeaf(0xb, topology, coreBits))
  if (highest >= 0x1f) result.push(...topologyLeaf(0x1f, topology, coreBits))
  return result
}

/** Extended topology enumeration (SDM vol. 2, CPUID leaf 0BH and 1FH): thread level, core level, end. */
function topologyLeaf(leaf: number, { cpus, cpu }: Topology, coreBits: number): CpuidEntry[] {
  const THREAD = 1
  const CORE = 2
  const level = (index: number, eax: number, ebx: number, type: number): CpuidEntry => ({
    function: leaf,
    index,
    flags: 1,
    eax,
    ebx,
    ecx: index | (type << 8),
    edx: cpu,
  })
  return [level(0, 0, 1, THREAD), level(1, coreBits, cpus, CORE), level(2, 0, 0, 0)]
}

/** Leaves whose words are lists of features, and which word (SDM vol. 2, CPUID; APM vol. 3, appendix E). */
const FEATURE_WORDS: readonly (readonly [
  leaf: number,
  index: number,
  word: 'eax' | 'ebx' | 'ecx' | 'edx',
])[] = [
  [1, 0, 'ecx'],
  [1, 0, 'edx'],
  [7, 0, 'ebx'],
  [7, 0, 'ecx'],
  [7, 0, 'edx'],
  [0xd, 0, 'eax'],
  [0x8000_0001, 0, 'ecx'],
  [0x8000_0001, 0, 'edx'],
]
/** Of leaf 1: answered by KVM or by topology, whatever the host's list says. */
const NOT_THE_HOSTS = TSC_DEADLINE | HYPERVISOR | (1 << 27)

/** The first features a guest was given that this host has not, by leaf and bits; undefined when it has all. */
export function missingFeatures(
  given: readonly CpuidEntry[],
  supported: readonly CpuidEntry[],
): string | undefined {
  for (const [leaf, index, word] of FEATURE_WORDS) {
    const of = (list: readonly CpuidEntry[]): number =>
      list.find((e) => e.function === leaf && e.index === index)?.[word] ?? 0
    let ignored = 0
    if (leaf === 1) ignored = word === 'ecx' ? NOT_THE_HOSTS : HTT
    if (leaf === 0x8000_0001 && word === 'ecx') ignored = CMP_LEGACY
    const missing = (of(given) & ~of(supported) & ~ignored) >>> 0
    if (missing !== 0) return `CPUID 0x${leaf.toString(16)} ${word} bits 0x${missing.toString(16)}`
  }
  return undefined
}
