import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePassword, passwordStrength } from './password.ts'

test('a generated password has four readable groups and is rated good', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 200; i++) {
    const password = generatePassword()
    assert.match(password, /^(?:[a-km-zA-HJ-NP-Z2-9]{4}-){3}[a-km-zA-HJ-NP-Z2-9]{4}$/)
    assert.equal(passwordStrength(password), 3)
    seen.add(password)
  }
  assert.equal(seen.size, 200)
})

test('bytes that would favour some letters are thrown away', () => {
  let round = 0
  const password = generatePassword((length) => new Uint8Array(length).fill(round++ === 0 ? 255 : 0))
  assert.equal(password, 'aaaa-aaaa-aaaa-aaaa')
})

test('strength grows with length before anything else', () => {
  assert.equal(passwordStrength('short'), 0)
  assert.equal(passwordStrength('aaaaaaaaaaaa'), 1)
  assert.equal(passwordStrength('password2026!'), 1)
  assert.equal(passwordStrength('kettle-owl1'), 2)
  assert.equal(passwordStrength('four quiet owls on the mantel'), 3)
})
