import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScrollbackLine } from './scrollback-line.ts'

/** What comes out, with `|` where the scrollback ends. */
function read(...chunks: string[]): string {
  let out = ''
  const line = new ScrollbackLine(
    (bytes) => {
      out += bytes
    },
    () => {
      out += '|'
    },
  )
  for (const chunk of chunks) line.push(Buffer.from(chunk))
  return out
}

test('the scrollback ends where the line says, however the bytes are cut', () => {
  const whole = 'HEARTH {"scrollback":5}\nearlynow'
  assert.equal(read(whole), 'early|now')
  assert.equal(read(...whole), 'early|now')
  assert.equal(read('HEARTH {"scrollback":0}\n'), '|')
  assert.equal(read('HEARTH {"scrollback":0}\n', 'now'), '|now')
})

test('a monitor that sends no line: all is output', () => {
  for (const text of [
    'HEAR ye',
    'login: ',
    'HEARTH {"scrollback":-1}\nx',
    'HEARTH !\n',
    `HEARTH ${'x'.repeat(200)}`,
  ])
    assert.equal(read(text), `|${text}`)
  // As long as it could be one, it is waited for.
  assert.equal(read('HEART'), '')
  assert.equal(read('HEART', 'S'), '|HEARTS')
})
