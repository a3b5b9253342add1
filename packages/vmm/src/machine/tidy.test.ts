/** Threads that tidy up while their guest runs, is stopped and goes on. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { Kvm } from '../kvm/vm.ts'
import { GuestMemory } from '../memory/guest-memory.ts'
import { allocateGuestRam } from '../memory/guest-ram.ts'
import { SerialDrain } from '../serial/drain.ts'
import { SerialHub } from '../serial/hub.ts'
import { tinyKernel } from '../testing/tiny-guest.ts'
import { usableKvm } from '../testing/usable-kvm.ts'
import { lowRamEnd, openKernel } from './boot-source.ts'
import { ramRanges } from './layout.ts'
import { Machine } from './machine.ts'
import { startWorkers } from './workers.ts'

const COUNTER = 0x20_0000
/** lock inc dword [COUNTER]; jmp back. */
const count = [...[0xbb, 0x00, 0x00, 0x20, 0x00], ...[0xf0, 0xff, 0x03], ...[0xeb, 0xfb]]
const MEMORY = 32 * 2 ** 20

test('a guest goes on when its thread has tidied up, however that meets a pause', {
  skip: !usableKvm && 'no /dev/kvm here',
}, async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tidy-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'kernel')
  writeFileSync(file, tinyKernel(count))
  const boot = openKernel({
    kernel: file,
    commandLine: '',
    serial: { kind: 'stdio' },
    disks: [],
    nets: [],
    noReboot: true,
  })
  const ram = allocateGuestRam(ramRanges(MEMORY, lowRamEnd(boot, MEMORY)))
  const workers = startWorkers(1, undefined)
  const ends: unknown[] = []
  const machine = await Machine.create(
    {
      ...{ kvm: Kvm.open(), workers, cpus: 1, ram, boot, disks: [], nets: [], ports: [] },
      generationId: '00000000-0000-4000-8000-000000000000',
      serialAttentionFd: new SerialDrain(new SerialHub()).attentionFd,
    },
    { ended: (end) => ends.push(end), panicked() {}, bitten() {}, warning: (text) => ends.push(text) },
  )
  t.after(async () => {
    await machine.stop()
    await Promise.all([workers.io, ...workers.vcpus].map((worker) => worker.terminate()))
    ram.close()
  })
  const memory = new GuestMemory(ram.regions)
  const counted = (): number => memory.readU32(COUNTER)
  const goesOn = async (): Promise<void> => {
    const before = counted()
    while (counted() === before) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  machine.run()
  await goesOn()
  const tidying: Promise<void>[] = []
  for (let lap = 0; lap < 30; lap++) {
    tidying.push(machine.tidy())
    if (lap % 3 > 0) await goesOn()
    if (lap % 3 > 1) await goesOn()
    await machine.pause()
    const still = counted()
    tidying.push(machine.tidy())
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(counted(), still, 'a paused guest runs')
    machine.resume()
    await goesOn()
  }
  await Promise.all(tidying)
  await goesOn()
  assert.deepEqual(ends, [])
})
