import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layoutOfLanguages } from './keyboard-layout.ts'

test('the keyboard follows the first language that has one', () => {
  assert.equal(layoutOfLanguages(['de-AT', 'en']), 'de')
  assert.equal(layoutOfLanguages(['en-GB', 'de']), 'gb')
  assert.equal(layoutOfLanguages(['en', 'fr']), 'us')
  assert.equal(layoutOfLanguages(['ja', 'fr-CA']), 'fr')
  assert.equal(layoutOfLanguages(['ja']), 'us')
  assert.equal(layoutOfLanguages([]), 'us')
})
