import assert from 'node:assert/strict'
import { test } from 'node:test'
import { m } from '../../src/messages/index.ts'
import { inLanguage, languageOf } from './language.ts'

test('the choice of the device stands above the browser’s languages', () => {
  assert.equal(languageOf({ cookie: 'a=b; hearth.lang=de', 'accept-language': 'en' }), 'de')
  assert.equal(languageOf({ cookie: 'hearth.lang=xx', 'accept-language': 'de-AT' }), 'de')
})

test('the browser’s languages count in their order, and English is the last resort', () => {
  assert.equal(languageOf({ 'accept-language': 'fr, de;q=0.8, en;q=0.9' }), 'en')
  assert.equal(languageOf({ 'accept-language': 'fr, de-CH;q=0.8, en;q=0.3' }), 'de')
  assert.equal(languageOf({ 'accept-language': 'de;q=0, fr' }), 'en')
  assert.equal(languageOf({}), 'en')
})

test('two requests at once are each answered in their own language', async () => {
  const t = m.common
  const read = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return t.cancel
  }
  assert.deepEqual(await Promise.all([inLanguage('de', read), inLanguage('en', read)]), [
    'Abbrechen',
    'Cancel',
  ])
})
