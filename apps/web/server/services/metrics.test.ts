import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HostSample, VmFigures } from '@hearth/shared/metrics'
import { codeFrom, createRunning, type Person, TestPortal, until } from '../testing/test-portal.ts'
import { resolutions, rollUp } from './metrics-store.ts'

let portal: TestPortal
let ada: Person

before(async () => {
  portal = await TestPortal.start()
  ada = await portal.setUp()
})
after(() => portal.stop())

const idle: VmFigures = {
  cpu: 0,
  memoryBytes: 0,
  diskReadBytes: 0,
  diskWriteBytes: 0,
  diskReads: 0,
  diskWrites: 0,
  netRxBytes: 0,
  netTxBytes: 0,
  netRxPackets: 0,
  netTxPackets: 0,
}
const sample = (vmUid: string, cpu: number): HostSample => ({
  at: new Date().toISOString(),
  host: { cpu: 2 * cpu, memoryBytes: 2 ** 30, diskUsedBytes: 2 ** 33, temperature: null },
  vms: [
    {
      vmUid,
      figures: { ...idle, cpu, memoryBytes: 123_456_789, guestMemoryBytes: 50_000_000, netRxBytes: 1000 },
    },
  ],
})

test('what a host measures comes into the page of its VM and of itself as it happens', async () => {
  const vm = await createRunning(portal, ada, 'measured')
  const seen: number[] = []
  const watch = ada.trpc.metric.watchVm.subscribe(
    { id: vm.id, range: 'hour' },
    { onData: ({ cpu }) => seen.push(cpu.length) },
  )
  await until('the first value', () => seen.length > 0)
  portal.agent.emit({ type: 'sample', sample: sample(vm.vmUid, 0.5) })
  await until('the sample', () => (seen.at(-1) ?? 0) > 0)
  watch.unsubscribe()
  const series = await ada.trpc.metric.vm.query({ id: vm.id, range: 'hour' })
  assert.deepEqual([series.step, series.end - series.start], [10, 3600_000])
  assert.deepEqual(
    [series.cpu, series.memoryBytes, series.netRxBytes, series.diskUsedBytes],
    [[0.5], [123_500_000], [1000], [null]],
  )
  assert.deepEqual(await ada.trpc.metric.latest.query(), [
    { vmId: vm.id, cpu: 0.5, memoryBytes: 123_500_000, guestMemoryBytes: 50_000_000, netBytes: 1000 },
  ])
  const stranger = await portal.addPerson('Otto', {})
  assert.deepEqual(await stranger.trpc.metric.latest.query(), [])
  const host = await ada.trpc.metric.host.query({ id: vm.host.id, range: 'hour' })
  assert.deepEqual([host.cpu, host.diskReads, host.temperature], [[1], [null], [null]])
  // A VM that the portal does not know is nobody's.
  portal.agent.emit({ type: 'sample', sample: sample('3b0f6c1e-0000-4000-8000-000000000000', 1) })
  assert.equal(await codeFrom(ada.trpc.metric.vm.query({ id: 9999, range: 'day' })), 'not_found')
})

test('fine rows become coarse ones when their window is over, and go when they are old; a gap stays one', async () => {
  await portal.db.metric.deleteMany()
  const vm = await createRunning(portal, ada, 'averaged')
  const of = { resourceType: 'vm', resourceId: vm.id }
  // A full hour long ago enough that no real sample of this test falls into it.
  const hour = Math.floor(Date.now() / 3600_000) * 3600_000 + 3600_000
  const fine = (minute: number, second: number, cpu: number) => ({
    ...{ ...of, ...idle, resolution: 10, cpu },
    at: new Date(hour + minute * 60_000 + second * 1000),
  })
  const rows = [fine(0, 0, 1), fine(0, 10, 2), fine(0, 50, 6), fine(1, 0, 4), fine(30, 0, 10)]
  await portal.db.metric.createMany({ data: rows })
  const minutes = () =>
    portal.db.metric.findMany({ where: { ...of, resolution: 60 }, orderBy: { at: 'asc' } })

  await rollUp(portal.db, hour + 61_000)
  assert.deepEqual(
    (await minutes()).map(({ at, cpu }) => [at.getTime() - hour, cpu]),
    [[0, 3]],
  )
  await rollUp(portal.db, hour + 3600_000)
  await rollUp(portal.db, hour + 3600_000)
  assert.deepEqual(
    (await minutes()).map(({ at, cpu }) => [at.getTime() - hour, cpu]),
    [
      [0, 3],
      [60_000, 4],
      [1800_000, 10],
    ],
  )
  const coarse = async (resolution: number) =>
    (await portal.db.metric.findMany({ where: { ...of, resolution }, orderBy: { at: 'asc' } })).map(
      ({ cpu }) => cpu,
    )
  assert.deepEqual(await coarse(600), [3.5, 10])
  assert.deepEqual(await coarse(3600), [6.75])

  for (const { seconds, keepMs } of resolutions) {
    const at = hour + 7200_000 + keepMs
    // One more fine row, so that there is a window to close at that time.
    await portal.db.metric.create({
      data: { ...of, ...idle, resolution: 10, at: new Date(at - (at % 60_000) - 60_000) },
    })
    await rollUp(portal.db, at)
    const left = await portal.db.metric.count({
      where: { ...of, resolution: seconds, at: { lt: new Date(hour + 3600_000) } },
    })
    assert.equal(left, 0, `resolution ${seconds}`)
  }
})
