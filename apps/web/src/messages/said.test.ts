import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parts, server } from './de/server.ts'
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

test('of a VM that is not in sight it is said with its name', () => {
  assert.equal(said('music is running. Shut it down first.', 'de'), 'music läuft. Fahre sie zuerst herunter.')
  assert.equal(said('The host of music is away.', 'de'), 'Der Host von music ist nicht da.')
})

test('a sentence that lists parts is said part by part, and not at all when one of them is unknown', () => {
  assert.equal(
    said(
      'music: renamed to jazz, now has 2 vCPUs, lets in connections from anywhere to the ports 22, 80',
      'de',
    ),
    'music: heißt jetzt jazz, hat jetzt 2 vCPUs, lässt Verbindungen von überall zu den Ports 22, 80 herein',
  )
  assert.equal(
    said(
      'Kids: 1 VM left (the quota is 3), and this needs 2; 1 GiB of memory left (the quota is 4 GiB), and this needs 2 GiB. Ada can raise the quota.',
      'de',
    ),
    'Kids: noch 1 VM (das Kontingent ist 3), nötig ist 2; noch 1 GiB Arbeitsspeicher (das Kontingent ist 4 GiB), nötig ist 2 GiB. Ada kann das Kontingent erhöhen.',
  )
  assert.equal(
    said('Only an owner of Kids can do that. Ask Ada or Bo.', 'de'),
    'Das darf nur, wem Kids gehört. Frag Ada oder Bo.',
  )
  assert.equal(said('music: now sings, renamed to jazz', 'de'), 'music: now sings, renamed to jazz')
  assert.equal(
    said('This set-up link is not valid (any more). Start Hearth again: it prints a new one.', 'de'),
    'Dieser Einrichtungslink gilt nicht (mehr). Starte Hearth neu: Es gibt einen neuen aus.',
  )
})

test('each translation takes what its sentence holds', () => {
  const holes = (text: string) => text.match(/\{[|.,;]?\}/g)?.join('')
  for (const [text, translated] of Object.entries({ ...server, ...parts }))
    assert.equal(holes(translated), holes(text), text)
})
