/** The test runner's own: what fails once, always, or cannot be run. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

const RUNNER = new URL('./node-tests.ts', import.meta.url).href

/** In a process of its own: a runner does not run inside a test. */
function outcome(files: Record<string, string>): unknown {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'node-tests-'))
  try {
    const paths = Object.keys(files).map((name) => path.join(folder, name))
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
    const program = path.join(folder, 'program.mjs')
    writeFileSync(
      program,
      `
      const { runNodeTests } = await import(${JSON.stringify(RUNNER)})
      const tally = await runNodeTests('some', ${JSON.stringify(paths)}, { concurrency: 2 })
      process.stdout.write('\\n' + JSON.stringify(tally))`,
    )
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { stdout, stderr } = spawnSync(process.execPath, [program], {
      ...{ cwd: folder, encoding: 'utf8' },
      env: { ...env, HEARTH_TEST_GRACE_MS: '1000' },
    })
    assert.match(stdout, /\}$/, stdout + stderr)
    return JSON.parse(stdout.slice(stdout.lastIndexOf('\n')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const good = `require('node:test').test('good', () => {})\n`
const bad = `require('node:test').test('bad', () => { throw new Error('always') })\n`
/** Fails until it has run once. */
const unlucky = `
  const { existsSync, writeFileSync } = require('node:fs')
  require('node:test').test('unlucky', () => {
    if (existsSync('ran')) return
    writeFileSync('ran', '')
    throw new Error('the first time')
  })`

test('a test that passes at its second try is named, one that never does has failed', () => {
  assert.deepEqual(outcome({ 'a.test.cjs': good + unlucky, 'b.test.cjs': good }), {
    passed: 3,
    failed: 0,
    skipped: 0,
    unsteady: ['unlucky'],
  })
  assert.deepEqual(outcome({ 'a.test.cjs': good + bad, 'b.test.cjs': unlucky }), {
    passed: 2,
    failed: 1,
    skipped: 0,
    unsteady: ['unlucky'],
  })
  assert.deepEqual(outcome({ 'a.test.cjs': good, 'b.test.cjs': 'a syntax error' }), {
    passed: 1,
    failed: 1,
    skipped: 0,
    unsteady: [],
  })
})

test('many broken files are broken, and not tried again', () => {
  const files = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}.test.cjs`, bad]))
  assert.deepEqual(outcome({ ...files, 'once.test.cjs': unlucky }), {
    passed: 0,
    failed: 7,
    skipped: 0,
    unsteady: [],
  })
})

test('a file that does not end though its tests did is ended, and has failed', () => {
  const open = `require('node:net').createServer().listen(0)\n`
  assert.deepEqual(outcome({ 'a.test.cjs': open + good, 'b.test.cjs': open + bad }), {
    passed: 1,
    failed: 2,
    skipped: 0,
    unsteady: [],
  })
})
