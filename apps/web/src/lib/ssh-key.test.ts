import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSshPublicKey } from './ssh-key.ts'

function blob(type: string, payload: number): string {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(type.length)
  return Buffer.concat([head, Buffer.from(type), Buffer.alloc(payload, 7)]).toString('base64')
}

test('a public key is recognised with its comment', () => {
  const data = blob('ssh-ed25519', 36)
  assert.deepEqual(parseSshPublicKey(`  ssh-ed25519 ${data}  ada@laptop home \n`), {
    ok: true,
    type: 'ssh-ed25519',
    comment: 'ada@laptop home',
    line: `ssh-ed25519 ${data} ada@laptop home`,
  })
})

test('what is not one public key is named', () => {
  const data = blob('ssh-ed25519', 36)
  const cases: [string, string][] = [
    ['', 'empty'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----', 'private'],
    [`ssh-ed25519 ${data}\nssh-ed25519 ${data}`, 'several'],
    ['hello world', 'type'],
    [`ssh-rsa ${data}`, 'damaged'],
    [`ssh-ed25519 ${data.slice(0, 20)}`, 'damaged'],
    ['ssh-ed25519 not*base64', 'damaged'],
  ]
  for (const [text, problem] of cases) assert.deepEqual(parseSshPublicKey(text), { ok: false, problem }, text)
})
