import assert from 'node:assert/strict'
import { test } from 'node:test'
import { server } from './de/server.ts'
import { inWords, said } from './said.ts'

test('a sentence is said with what was put into it', () => {
  assert.equal(said('Its host is away.', 'de'), 'Ihr Host ist nicht da.')
  assert.equal(said('Created the VM a.b+c from Debian 12', 'de'), 'Hat die VM a.b+c aus Debian 12 erstellt')
  assert.equal(
    said('Debian 12 needs at least 512 MiB of memory.', 'de'),
    'Debian 12 braucht mindestens 512 MiB Speicher.',
  )
  assert.equal(said('Nobody has written this.', 'de'), 'Nobody has written this.')
  assert.equal(said('Its host is away.', 'en'), 'Its host is away.')
})

test('only the server’s sentences in an answer change, and nothing else is copied', () => {
  const vm = { name: 'Done', labels: { step: 1 }, can: { start: { ok: false, why: 'It is running.' } } }
  const other = { name: 'x', at: new Date() }
  const told = inWords([vm, other], 'de')
  assert.deepEqual(told[0], { ...vm, can: { start: { ok: false, why: 'Sie läuft.' } } })
  assert.equal(told[1], other)
  assert.equal(inWords(other, 'de'), other)
})

test('each translation takes what its sentence holds', () => {
  const holes = (text: string) => text.split('{}').length
  for (const [text, translated] of Object.entries(server))
    if (!text.startsWith('It is {}')) assert.equal(holes(translated), holes(text), text)
})
