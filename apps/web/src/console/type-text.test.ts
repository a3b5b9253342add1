import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layout, layoutNames } from '@hearth/shared/keyboard-layouts'
import { keyStrokes, typeStrokes } from './type-text.ts'

const shown = (text: string, name: (typeof layoutNames)[number]) =>
  keyStrokes(text, name)
    .strokes.map(({ code, shift, altGr }) => `${altGr ? 'AltGr+' : ''}${shift ? 'Shift+' : ''}${code}`)
    .join(' ')

test('the same text is other keys on other keyboards', () => {
  assert.equal(shown('zA@\r\n', 'us'), 'KeyZ Shift+KeyA Shift+Digit2 Enter')
  assert.equal(shown('zA@\n', 'de'), 'KeyY Shift+KeyA AltGr+KeyQ Enter')
  assert.equal(shown('zA@\t', 'fr'), 'KeyW Shift+KeyQ AltGr+Digit0 Tab')
  assert.equal(shown('#~ ', 'gb'), 'Backslash Shift+Backslash Space')
})

test('every key of every layout has a code; what no key bears is named once', () => {
  for (const name of layoutNames) {
    const characters = [...layout(name).keys()].join('')
    assert.deepEqual(keyStrokes(characters, name).missing, [])
  }
  assert.deepEqual(keyStrokes('a→b→', 'us').missing, ['→'])
})

test('modifiers are held around their key; it stops when told to', async () => {
  const seen: string[] = []
  const press = (code: string, down: boolean) => void seen.push(`${down ? '+' : '-'}${code}`)
  const { strokes } = keyStrokes('@', 'de')
  await typeStrokes(strokes, { press, pause: async () => {} }, new AbortController().signal)
  assert.deepEqual(seen, ['+AltRight', '+KeyQ', '-KeyQ', '-AltRight'])
  seen.length = 0
  const stop = new AbortController()
  const many = keyStrokes('a'.repeat(1000), 'us').strokes
  await typeStrokes(many, { press, pause: async () => stop.abort() }, stop.signal)
  assert.ok(seen.length < 100 && seen.at(-1) === '-KeyA', 'nothing stays down')
})
