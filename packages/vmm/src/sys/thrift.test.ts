import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import v8 from 'node:v8'
import { CalmTidier, tidyRegularly, tidyUp } from './thrift.ts'

/** What a process that read `setting` is told of itself by its kernel. */
function hugePagesWith(setting: string): string | undefined {
  const script = `
    const { refuseHugePages } = await import(${JSON.stringify(new URL('./thrift.ts', import.meta.url).href)})
    refuseHugePages(${JSON.stringify(setting)})
    process.stdout.write(require('node:fs').readFileSync('/proc/self/status', 'latin1'))`
  const status = execFileSync(process.execPath, ['--input-type=module', '-e', shim + script]).toString()
  return /^THP_enabled:\s+(\d)$/m.exec(status)?.[1]
}
const shim = "import { createRequire } from 'node:module'; const require = createRequire('/');"

test('huge pages are refused, but not where the guest would have them', (t) => {
  const untouched = hugePagesWith('')
  if (untouched !== '1') return t.skip('this kernel has none')
  assert.equal(hugePagesWith('always within_size advise [never] deny force\n'), '0')
  assert.equal(hugePagesWith('[always] within_size advise never deny force\n'), '1')
  assert.equal(hugePagesWith('always within_size [advise] never deny force\n'), '1')
})

const size = (): number => v8.getHeapStatistics().total_physical_size

/** Fills the heap with what nobody needs any more. */
function litter(): void {
  const garbage = Array.from({ length: 200_000 }, (_, i) => ({ i }))
  assert.equal(garbage.length, 200_000)
}

test('tidying up gives back what a start left', () => {
  tidyUp()
  const before = size()
  litter()
  const full = size()
  assert.ok(full > before + 4 * 2 ** 20, `${full - before} bytes of garbage`)
  tidyUp()
  assert.ok(size() < full - 3 * 2 ** 20, `${size()} of ${full} bytes left`)
})

test('a thread that is asked to tidy up when it is calm does so when it was, and not in the midst of work', async () => {
  tidyUp()
  litter()
  const full = size()
  const tidier = new CalmTidier()
  tidier.asked()
  for (const until = process.threadCpuUsage().user + 500_000; process.threadCpuUsage().user < until; );
  tidier.asked()
  assert.ok(size() > full - 2 ** 20, 'it was busy')
  const calm = size()
  while (size() > calm - 3 * 2 ** 20) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    tidier.asked()
  }
})

test('rounds come when the start is over and regularly after that, whether the thread is calm or not', () => {
  const timers: { ms: number; work: () => void }[] = []
  let rounds = 0
  const startOver = tidyRegularly(
    (ms, work) => timers.push({ ms, work }),
    () => rounds++,
  )
  const pass = (): number => {
    const { ms, work } = timers.shift()!
    work()
    return ms
  }
  litter()
  const full = size()
  pass()
  assert.ok(size() < full - 3 * 2 ** 20, 'everything is loaded')
  assert.equal(rounds, 0)
  pass()
  assert.equal(rounds, 1)
  startOver()
  assert.equal(rounds, 1)
  for (let round = 2; round < 5; round++) {
    const interval = pass()
    assert.equal(rounds, round - 1)
    assert.ok(pass() < interval)
    assert.equal(rounds, round)
    assert.equal(timers.length, 1)
  }
})

test('a start that is over before its time makes the first round, and the time then makes none', () => {
  const timers: (() => void)[] = []
  let rounds = 0
  const startOver = tidyRegularly(
    (_ms, work) => timers.push(work),
    () => rounds++,
  )
  startOver()
  assert.equal(rounds, 1)
  assert.equal(timers.length, 3)
  timers.shift()!()
  timers.shift()!()
  assert.equal(rounds, 1)
  assert.equal(timers.length, 1, 'one chain of rounds')
})
