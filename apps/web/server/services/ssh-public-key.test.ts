import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { parseSshPublicKey } from './ssh-public-key.ts'

const good = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8XRiSbcDmiiRrUVm2RLhvqCe3Owe6HVjSXQYEcfmOO ada@laptop'

test('a key is read with its comment and the fingerprint ssh-keygen shows', () => {
  const key = parseSshPublicKey(`  ${good}\n`)
  assert.equal(key.line, good)
  assert.deepEqual([key.type, key.comment], ['ssh-ed25519', 'ada@laptop'])
  assert.match(key.fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/)
})

test('keys that ssh-keygen makes are read as it reads them', (t) => {
  try {
    execFileSync('ssh-keygen', ['-?'], { stdio: 'ignore' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return t.skip('no ssh-keygen here')
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hearth-keys-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const type of ['ed25519', 'rsa', 'ecdsa']) {
    const file = path.join(folder, type)
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'a comment', '-f', file])
    const key = parseSshPublicKey(readFileSync(`${file}.pub`, 'utf8'))
    const shown = execFileSync('ssh-keygen', ['-l', '-f', `${file}.pub`]).toString()
    assert.equal(key.fingerprint, shown.split(' ')[1])
  }
})

test('what is no public key is refused, with what to do', () => {
  const [type, data] = good.split(' ')
  const cases: [string, RegExp][] = [
    ['', /Paste a public/],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nabc', /private key/],
    [`${good}\n${good}`, /one key at a time/],
    ['hello world', /not a public SSH key/],
    [`command="rm -rf /" ${good}`, /not a public SSH key/],
    [`${type} ${data!.slice(0, -8)}`, /cut short/],
    [`${type} ${data}AAAA`, /damaged/],
    [`ssh-rsa ${data}`, /damaged/],
    [`${type} ${data!.replace('A', '*')}`, /damaged/],
    [`${type} ${data} a\u0007b`, /control/],
  ]
  for (const [text, message] of cases) assert.throws(() => parseSshPublicKey(text), message, text)
})
