/** Every target with the inputs of the repository and a fixed number of chances more; and the fuzzer finds what is there to find. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteSource } from './byte-source.ts'
import { readCorpus } from './corpus.ts'
import { fuzz, shrink } from './fuzzer.ts'
import type { FuzzTarget } from './target.ts'
import { targets } from './targets.ts'

for (const target of targets) {
  test(`${target.name}: ${target.about}`, () => {
    const corpus = [...(target.seeds ?? []), ...readCorpus(target.name)]
    const report = fuzz(target, { seed: 20_260_101, corpus, runs: corpus.length + target.runsInTest })
    if (!report.finding) return
    const input = Buffer.from(report.finding.input).toString('hex')
    assert.fail(`${report.finding.error instanceof Error ? report.finding.error.stack : ''}\ninput: ${input}`)
  })
}

test('names are unique, and every target has a bound and a corpus', () => {
  assert.equal(new Set(targets.map(({ name }) => name)).size, targets.length)
  for (const { name, runsInTest } of targets) {
    assert.ok(runsInTest > 0)
    assert.ok(readCorpus(name).length > 0, `${name}: npm run fuzz -- ${name} --keep`)
  }
})

test('a fault behind two bytes is found by the same seed at the same input, and cut down to what it needs', () => {
  const faulty: FuzzTarget = {
    name: 'faulty',
    about: '',
    runsInTest: 1,
    run(input) {
      const source = new ByteSource(input)
      while (!source.done) if (source.u8() === 7 && source.u8() >= 200) throw new RangeError('found 1')
    },
  }
  const search = () => fuzz(faulty, { seed: 1, corpus: [new Uint8Array(40)], runs: 100_000 })
  const { finding, runs } = search()
  assert.ok(finding)
  assert.equal(search().runs, runs)
  const small = shrink(faulty, finding, performance.now() + 60_000)
  assert.equal(small.length, 2)
  assert.equal(small[0], 7)
})
