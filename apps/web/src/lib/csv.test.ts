import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toCsv } from './csv.ts'

test('cells are quoted when they must be', () => {
  assert.equal(
    toCsv([
      ['a', 1, null],
      ['x,y', 'say "hi"', 'two\nlines'],
    ]),
    '\uFEFFa,1,\r\n"x,y","say ""hi""","two\nlines"\r\n',
  )
})

test('a name is never run as a formula', () => {
  assert.equal(toCsv([['=1+1', '-2', '@x', -2]]), "\uFEFF'=1+1,'-2,'@x,-2\r\n")
})
