import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flatDependencies, moduleFiles, parseModuleIndex } from './kernel-modules.ts'

const index = parseModuleIndex(
  [
    'kernel/a/low.ko:',
    'kernel/a/mid-dle.ko.xz: kernel/a/low.ko',
    'kernel/b/top.ko: kernel/a/mid-dle.ko.xz kernel/a/low.ko',
    '',
  ].join('\n'),
  'kernel/c/built_in.ko\n',
)

test('modules come after all they need, each once', () => {
  assert.deepEqual(moduleFiles(index, ['top', 'low']), [
    'kernel/a/low.ko',
    'kernel/a/mid-dle.ko.xz',
    'kernel/b/top.ko',
  ])
})

test('hyphens and underscores are the same; what is built in needs no file; unknown names are errors', () => {
  assert.deepEqual(moduleFiles(index, ['mid_dle']), ['kernel/a/low.ko', 'kernel/a/mid-dle.ko.xz'])
  assert.deepEqual(moduleFiles(index, ['built-in']), [])
  assert.throws(() => moduleFiles(index, ['nonesuch']), /no module nonesuch/)
})

test('the flat modules.dep names the nearest need first, as depmod does', () => {
  assert.equal(
    flatDependencies(moduleFiles(index, ['top']), index.dependencies),
    'low.ko:\nmid-dle.ko.xz: low.ko\ntop.ko: mid-dle.ko.xz low.ko\n',
  )
})
