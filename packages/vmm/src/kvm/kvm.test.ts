import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ExitError } from '../sys/exit-error.ts'
import { check, close, eventfdCreate } from '../sys/libc.ts'
import * as api from './api.ts'
import { type CpuidEntry, encodeCpuid, guestCpuid } from './cpuid.ts'
import { encodeRoutes, KvmInterrupts } from './interrupts.ts'
import { KvmNotifies } from './notifies.ts'
import { Kvm } from './vm.ts'

test('request numbers are those of linux/kvm.h', () => {
  assert.equal(api.KVM_RUN, 0xae80)
  assert.equal(api.KVM_SET_USER_MEMORY_REGION, 0x4020_ae46)
  assert.equal(api.KVM_GET_SUPPORTED_CPUID, 0xc008_ae05)
  assert.equal(api.KVM_SET_CPUID2, 0x4008_ae90)
  assert.equal(api.KVM_GET_SREGS, 0x8138_ae83)
  assert.equal(api.KVM_SET_SREGS, 0x4138_ae84)
  assert.equal(api.KVM_SET_REGS, 0x4090_ae82)
  assert.equal(api.KVM_GET_LAPIC, 0x8400_ae8e)
  assert.equal(api.KVM_IRQFD, 0x4020_ae76)
  assert.equal(api.KVM_IOEVENTFD, 0x4040_ae79)
  assert.equal(api.KVM_CREATE_PIT2, 0x4040_ae77)
  assert.equal(api.KVM_SET_GSI_ROUTING, 0x4008_ae6a)
})

const leaf = (fn: number, words: Partial<CpuidEntry> = {}): CpuidEntry => ({
  ...{ function: fn, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 },
  ...words,
})
const all = 0xffff_ffff
const supported = [
  leaf(0, { eax: 0x1f }),
  leaf(1, { ebx: all, ecx: all, edx: all }),
  leaf(4, { eax: (1 << 5) | 1, flags: 1 }),
  leaf(4, { index: 3, eax: (3 << 5) | 3, flags: 1 }),
  leaf(0xa, { eax: all }),
  leaf(0xb, { eax: 99, flags: 1 }),
  leaf(0x4000_0001, { eax: 0x123 }),
  leaf(0x8000_0001, { ecx: all }),
  leaf(0x8000_0008, { eax: 0x3030, ecx: all }),
  leaf(0x8000_000a, { eax: 1 }),
  leaf(0x8000_001d, { eax: (3 << 5) | 3, index: 3 }),
  leaf(0x8000_001e, { eax: all, ebx: all }),
]
const cpuid = (cpus: number, cpu: number) => {
  const entries = guestCpuid(supported, { cpus, cpu, tscDeadlineTimer: true })
  return (fn: number, index = 0): CpuidEntry => entries.find((e) => e.function === fn && e.index === index)!
}

test('every topology leaf tells the same story: one socket, one thread a core, APIC id = vCPU', () => {
  for (const [cpus, bits] of [
    [1, 0],
    [2, 1],
    [3, 2],
    [32, 5],
  ] as const) {
    const get = cpuid(cpus, cpus - 1)
    assert.equal(get(1).ebx >>> 24, cpus - 1)
    assert.equal((get(1).ebx >>> 16) & 0xff, 1 << bits)
    assert.equal((get(1).edx >>> 28) & 1, cpus > 1 ? 1 : 0)
    for (const fn of [0xb, 0x1f]) {
      assert.deepEqual([get(fn).eax, get(fn).ebx, get(fn).ecx, get(fn).edx], [0, 1, 0x100, cpus - 1])
      assert.deepEqual([get(fn, 1).eax, get(fn, 1).ebx, get(fn, 1).ecx], [bits, cpus, 0x201])
      assert.deepEqual([get(fn, 2).ebx, get(fn, 2).ecx], [0, 2])
    }
    // Caches: the first level is the core's, the third everybody's.
    assert.equal((get(4).eax >>> 14) & 0xfff, 0)
    assert.equal((get(4, 3).eax >>> 14) & 0xfff, (1 << bits) - 1)
    assert.equal(get(4).eax >>> 26, (1 << bits) - 1)
    assert.equal((get(0x8000_001d, 3).eax >>> 14) & 0xfff, (1 << bits) - 1)
    assert.equal(get(0x8000_0008).ecx & 0xff, cpus - 1)
    assert.equal((get(0x8000_0008).ecx >>> 12) & 15, bits)
    assert.deepEqual([get(0x8000_001e).eax, get(0x8000_001e).ebx], [cpus - 1, cpus - 1])
  }
})

test('no nested virtualisation, no performance counters; a hypervisor is announced, KVM’s own leaves stay', () => {
  const get = cpuid(2, 0)
  assert.equal(get(1).ecx & (1 << 5), 0, 'VMX')
  assert.equal(get(0x8000_0001).ecx & (1 << 2), 0, 'SVM')
  assert.equal(get(0x8000_000a).eax, 0)
  assert.equal(get(0xa).eax, 0)
  assert.notEqual(get(1).ecx & (1 << 31), 0)
  assert.notEqual(get(1).ecx & (1 << 24), 0)
  assert.equal(get(0x4000_0001).eax, 0x123)
})

test('entries are encoded as struct kvm_cpuid2', () => {
  const view = encodeCpuid([leaf(1, { ebx: all }), leaf(0x8000_0001, { index: 2, flags: 1, edx: 3 })])
  assert.equal(view.byteLength, 8 + 80)
  assert.equal(view.getUint32(0, true), 2)
  assert.equal(view.getUint32(8 + 16, true), all)
  assert.equal(view.getUint32(48, true), 0x8000_0001)
  assert.equal(view.getUint32(48 + 24, true), 3)
})

test('the routing table: PIC and IOAPIC pins of a PC, the timer on pin 2, then the messages', () => {
  const view = encodeRoutes([{ gsi: 30, addressLow: 0xfee0_0000, addressHigh: 0, data: 0x4041 }])
  const count = view.getUint32(0, true)
  assert.equal(view.byteLength, 8 + count * 48)
  const entries = Array.from({ length: count }, (_, i) =>
    [0, 4, 16, 20, 24].map((at) => view.getUint32(8 + i * 48 + at, true)),
  )
  const of = (gsi: number) => entries.filter((e) => e[0] === gsi).map((e) => e.slice(1, 4))
  assert.deepEqual(of(0), [
    [1, 0, 0],
    [1, 2, 2],
  ])
  assert.deepEqual(of(2), [])
  assert.deepEqual(of(9), [
    [1, 1, 1],
    [1, 2, 9],
  ])
  assert.deepEqual(of(23), [[1, 2, 23]])
  assert.deepEqual(entries.at(-1), [30, 2, 0xfee0_0000, 0, 0x4041])
})

/** A VM without vCPUs, or a skipped test where there is no KVM. */
function realVm(t: TestContext) {
  try {
    const kvm = Kvm.open()
    const vm = kvm.createVm()
    vm.createInterruptChips()
    t.after(() => {
      vm.close()
      kvm.close()
    })
    return vm
  } catch (error) {
    if (!(error instanceof ExitError)) throw error
    t.skip(error.message)
    return undefined
  }
}

test('the kernel takes vectors that come, change and go, and pins that are shared', (t) => {
  const vm = realVm(t)
  if (!vm) return
  const interrupts = new KvmInterrupts(vm)
  for (let round = 0; round < 3; round++) {
    const vectors = Array.from({ length: 40 }, () => interrupts.allocateMsi())
    for (const [i, vector] of vectors.entries()) {
      vector.fire()
      vector.route(0xfee0_0000, 0, 0x4000 + i)
      vector.fire()
    }
    for (const vector of vectors) vector.release()
    vectors[0]!.release()
  }
  const [one, two] = [interrupts.pin(16), interrupts.pin(16)]
  for (const level of [true, true, false]) {
    one.setLevel(level)
    two.setLevel(level)
  }
  assert.throws(() => interrupts.pin(24), RangeError)
})

test('the kernel takes each notify once, and forgets it when told', (t) => {
  const vm = realVm(t)
  if (!vm) return
  const notifies = new KvmNotifies(vm)
  const fd = check('eventfd', eventfdCreate(0, 0))
  t.after(() => close(fd))
  for (let round = 0; round < 2; round++) {
    notifies.add('mmio', 0xc000_1000, 0, fd)
    notifies.add('pio', 0x1000, 2, fd)
    assert.throws(() => notifies.add('mmio', 0xc000_1000, 0, fd), /KVM_IOEVENTFD/)
    notifies.remove('mmio', 0xc000_1000, 0, fd)
    notifies.remove('pio', 0x1000, 2, fd)
  }
})

test('a device that is not KVM, or not there, is refused with code 2 and a way out', () => {
  for (const [path, pattern] of [
    ['/nonexistent', /is not there: switch virtualisation/],
    ['/dev/null', /is not a KVM device/],
  ] as const) {
    assert.throws(
      () => Kvm.open(path),
      (error) => error instanceof ExitError && error.code === 2 && pattern.test(error.message),
    )
  }
})
