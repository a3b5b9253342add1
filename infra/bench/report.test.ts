import assert from 'node:assert/strict'
import { test } from 'node:test'
import { portCode } from './bare-guest.ts'
import { Figures } from './figures.ts'
import { failureList, median, reportTable } from './report.ts'

test('medians, spreads and ratios; a monitor that was not measured has a dash', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  const report = {
    measures: [
      {
        name: 'start',
        unit: 's',
        lessIsBetter: true,
        figures: { hearth: [3, 4, 5], 'qemu-microvm': [2, 2, 2], 'qemu-q35': [] },
      },
    ],
  }
  assert.deepEqual(reportTable(report).split('\n'), [
    '| median (least–most), × of QEMU microvm | hearth | qemu-microvm | qemu-q35 |',
    '| --- | --- | --- | --- |',
    '| start, s | 4.00 (3.00–5.00), ×2.00 | 2.00 (2.00–2.00) | – |',
  ])
})

test('one failing or endless measurement is reported, and ends nothing', async () => {
  const said: string[] = []
  const figures = new Figures((line) => said.push(line))
  const broken = () => Promise.reject(new Error('no disk\nthe console: …'))
  assert.equal(await figures.attempt('hearth', 'disk', 60, broken), true)
  assert.equal(await figures.attempt('hearth', 'net', 0.01, () => new Promise(() => {})), false)
  await figures.attempt('hearth', 'ports', 60, async () => figures.note('hearth', 'a port', 'µs', Number.NaN))
  await figures.attempt('hearth', 'start', 60, async () => figures.note('hearth', 'start', 's', 2))
  await figures.attempt('hearth', 'start', 60, async () => figures.note('hearth', 'start', 's', 3))
  assert.deepEqual(figures.measures, [
    { name: 'start', unit: 's', lessIsBetter: true, figures: { hearth: [2, 3] } },
  ])
  assert.deepEqual(failureList(figures.failures).split('\n'), [
    '- hearth: disk: no disk',
    '- hearth: net: not done after 0.01 s',
    '- hearth: ports: a port: NaN µs is no measurement',
  ])
  assert.equal(said.length, 5)
})

test('the guests of a few instructions jump back to their beginning', () => {
  const code = portCode(7)
  const back = Buffer.from(code.slice(-4)).readInt32LE()
  assert.equal(code.at(-5), 0xe9)
  assert.equal(code.length + back, 0)
})
