import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { testSpec } from '../testing/agent-harness.ts'
import { seedDocuments } from './cloud-init.ts'
import { writeSeedIso } from './seed-iso.ts'

const cloudInit = {
  user: 'ada',
  passwordHash: '$6$salt$hash',
  sshAuthorizedKeys: ['ssh-ed25519 AAAA ada@laptop'],
}

function config(text: string): Record<string, unknown> {
  assert.ok(text.startsWith('#cloud-config\n'))
  return JSON.parse(text.slice('#cloud-config\n'.length)) as Record<string, unknown>
}

test('a person gets a user with password, keys and sudo; the guest its identity and network', () => {
  const spec = testSpec({ name: 'web', cloudInit })
  const documents = seedDocuments(spec)
  assert.deepEqual(JSON.parse(documents['meta-data']), { 'instance-id': spec.vmUid, 'local-hostname': 'web' })
  assert.deepEqual(config(documents['user-data']), {
    users: [
      {
        name: 'ada',
        shell: '/bin/bash',
        sudo: 'ALL=(ALL) NOPASSWD:ALL',
        lock_passwd: false,
        ssh_authorized_keys: ['ssh-ed25519 AAAA ada@laptop'],
        passwd: '$6$salt$hash',
      },
    ],
    ssh_pwauth: true,
  })
  const network = JSON.parse(documents['network-config']) as {
    ethernets: {
      eth0: { match: { macaddress: string }; dhcp4: boolean; 'dhcp4-overrides': Record<string, unknown> }
    }
  }
  assert.equal(network.ethernets.eth0.match.macaddress, spec.mac)
  assert.equal(network.ethernets.eth0.dhcp4, true)
  // Other guests are found by their short names.
  assert.deepEqual(network.ethernets.eth0['dhcp4-overrides'], { 'use-domains': true })
})

test('a guest with a screen has the keyboard of its settings', () => {
  const files = (spec: Parameters<typeof testSpec>[0]) =>
    config(seedDocuments(testSpec(spec))['user-data']).write_files as
      | { path: string; content: string }[]
      | undefined
  assert.equal(files({ cloudInit }), undefined)
  const written = files({ cloudInit, display: { keyboard: 'de' } })!
  assert.match(written.find(({ path }) => path.startsWith('/etc/X11/'))!.content, /"XkbLayout" "de"/)
  assert.match(written.find(({ path }) => path === '/etc/default/keyboard')!.content, /^XKBLAYOUT="de"$/m)
})

test('without a password nobody signs in by one', () => {
  const { passwordHash: _, ...keysOnly } = cloudInit
  const { users, ssh_pwauth } = config(seedDocuments(testSpec({ cloudInit: keysOnly }))['user-data']) as {
    users: { lock_passwd: boolean; passwd?: string }[]
    ssh_pwauth: boolean
  }
  assert.equal(users[0]?.lock_passwd, true)
  assert.equal('passwd' in users[0]!, false)
  assert.equal(ssh_pwauth, false)
})

test("a person's own user data goes first, as the kind it is, and ours is merged into it", () => {
  const cases: [string, string][] = [
    ['#cloud-config\npackages: [htop]\n', 'text/cloud-config'],
    ['#!/bin/sh\ntrue', 'text/x-shellscript'],
    ['#include\nhttp://example.test/x\n', 'text/x-include-url'],
    ['## template: jinja\n#cloud-config\n', 'text/jinja2'],
  ]
  for (const [userData, type] of cases) {
    const text = seedDocuments(testSpec({ cloudInit: { ...cloudInit, userData } }))['user-data']
    const boundary = /boundary="([^"]+)"/.exec(text)?.[1]
    const parts = text.split(`--${boundary}`)
    assert.equal(parts.length, 4, text)
    assert.ok(parts[1]!.trimStart().startsWith(`Content-Type: ${type};`), text)
    assert.ok(parts[1]!.includes(userData))
    assert.match(parts[2]!, /Merge-Type: dict\(no_replace,recurse_list\)\+list\(append\)/)
    assert.match(parts[2]!, /"name": "ada"/)
  }
})

test('user data cloud-init would not understand is refused', () => {
  for (const userData of ['packages: [htop]', 'echo hello', ' #cloud-config'])
    assert.throws(
      () => seedDocuments(testSpec({ cloudInit: { ...cloudInit, userData } })),
      /cloud-init knows/,
    )
})

test('the seed disk has the label and the files NoCloud looks for', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-seed-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'seed.iso')
  const documents = seedDocuments(testSpec({ cloudInit }))
  await writeSeedIso(path, documents)
  await writeSeedIso(path, documents)
  assert.deepEqual(await readdir(folder), ['seed.iso'])
  assert.match(execFileSync('isoinfo', ['-d', '-i', path], { encoding: 'utf8' }), /Volume id: cidata/)
  const inside = execFileSync('isoinfo', ['-R', '-x', '/user-data', '-i', path], { encoding: 'utf8' })
  assert.equal(inside, documents['user-data'])
})
