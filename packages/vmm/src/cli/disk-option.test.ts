import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitError } from '../sys/exit-error.ts'
import { parseRunOptions, vmmCommandLine } from './options.ts'
import type { DiskOption } from './run-options.ts'

const diskOf = (text: string): DiskOption | undefined =>
  parseRunOptions(['--kernel', 'k', '--disk', text]).disks[0]

test('a disk is raw unless the command line says otherwise', () => {
  for (const [text, disk] of [
    ['a.img', { path: 'a.img', readOnly: false }],
    ['a.qcow2', { path: 'a.qcow2', readOnly: false }],
    ['a.img,ro', { path: 'a.img', readOnly: true }],
    ['a,format=raw', { path: 'a', readOnly: false, format: 'raw' }],
    ['a,format=qcow2', { path: 'a', readOnly: false, format: 'qcow2' }],
    ['a,format=qcow2,ro', { path: 'a', readOnly: true, format: 'qcow2' }],
    ['a,ro,format=qcow2', { path: 'a', readOnly: true, format: 'qcow2' }],
    ['a,b c,format=qcow2', { path: 'a,b c', readOnly: false, format: 'qcow2' }],
    ['a,serial=volume-12', { path: 'a', readOnly: false, serial: 'volume-12' }],
    ['a,ro,serial=x,format=raw', { path: 'a', readOnly: true, format: 'raw', serial: 'x' }],
    ['a,cache=none,format=qcow2', { path: 'a', readOnly: false, format: 'qcow2', cache: 'none' }],
    ['a,cache=writethrough', { path: 'a', readOnly: false, cache: 'writethrough' }],
    ['a,serial=Too Odd', { path: 'a,serial=Too Odd', readOnly: false }],
    ['a,format=raw,b', { path: 'a,format=raw,b', readOnly: false }],
  ] as const) {
    assert.deepEqual(diskOf(text), disk, text)
    const options = parseRunOptions(['--kernel', 'k', '--disk', text])
    assert.deepEqual(parseRunOptions(vmmCommandLine(options).slice(1)), options)
  }
})

test('a disk of another format, of two, or of none is a bad command line', () => {
  for (const text of [
    'a,format=vdi',
    'a,format=',
    'a,format=raw,format=qcow2',
    ',ro',
    ',format=qcow2',
    'a,cache=unsafe',
  ]) {
    assert.throws(
      () => diskOf(text),
      (error: unknown) => error instanceof ExitError && error.code === 1,
      text,
    )
  }
})
