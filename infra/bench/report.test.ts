import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BenchReport, median, reportTable } from './report.ts'

test('medians, spreads and ratios; a monitor that was not measured has a dash', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  const report: BenchReport = {
    v: 1,
    host: { kind: 'lab', kernel: '6.1', qemu: '10.2', node: 'v24' },
    guestKernel: 'k',
    commit: 'c',
    takenAt: 't',
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
