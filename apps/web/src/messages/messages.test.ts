import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogues } from './index.ts'
import { type Language, languages } from './language.ts'

type Text = { path: string; value: unknown }

function texts(node: unknown, path = ''): Text[] {
  if (typeof node !== 'object' || node === null) return [{ path, value: node }]
  return Object.entries(node).flatMap(([key, value]) => texts(value, path ? `${path}.${key}` : key))
}

/** What a text says, with every argument a word of its own, so that one left out shows. */
function said({ value }: Text): string {
  if (typeof value !== 'function') return String(value)
  return String(value(...Array.from({ length: value.length }, (_, index) => `⟨${index}⟩`)))
}

const english = new Map(texts(catalogues!.en).map((text) => [text.path, text]))

for (const language of Object.keys(languages) as Language[]) {
  const own = texts(catalogues![language])

  test(`${language}: has every text and no other`, () => {
    assert.deepEqual(own.map(({ path }) => path).sort(), [...english.keys()].sort())
  })

  test(`${language}: no text is empty, and functions take what the English ones take`, () => {
    for (const text of own) {
      const model = english.get(text.path)
      assert.equal(typeof text.value, typeof model?.value, text.path)
      assert.notEqual(said(text).trim(), '', text.path)
    }
  })

  test(`${language}: a text that names something in English names it here too`, () => {
    for (const text of own) {
      const model = english.get(text.path)!
      const named = (words: string) => [...new Set(words.match(/⟨\d⟩/g))].sort().join()
      assert.equal(named(said(text)), named(said(model)), text.path)
    }
  })

  if (language === 'en') continue
  test(`${language}: nothing was left in English`, () => {
    const left = own.filter((text) => {
      const words = said(text)
      return (
        words === said(english.get(text.path)!) &&
        // A word alone may be the same by right: names, units, commands. A sentence never is.
        /[a-z]{2}\s+[a-z]{2}/i.test(words) &&
        !/⟨/.test(words) &&
        !/Command$/.test(text.path) &&
        !/sudo /.test(words)
      )
    })
    assert.deepEqual(
      left.map(({ path, value }) => `${path}: ${String(value)}`),
      [],
    )
  })
}
