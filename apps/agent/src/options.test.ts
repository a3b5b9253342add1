import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { longestSocketName, maxSocketPath, parseListen, parseOptions, UsageError } from './options.ts'
import { vmSockets } from './vmm/launch.ts'

test('options are read, and each bad one is named with what to change', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-options-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'token'), '0123456789abcdef\n')
  writeFileSync(join(folder, 'short'), 'secret\n')
  const good: Record<string, string> = {
    state: join(folder, 'state'),
    images: folder,
    listen: '127.0.0.1:7420',
    'token-file': join(folder, 'token'),
    builder: 'http://127.0.0.1:7421/',
    'builder-token-file': join(folder, 'token'),
    kind: 'kvm',
    vmm: join(folder, 'token'),
    'run-dir': '/run/x',
  }
  const argv = (change: Record<string, string | undefined> = {}) =>
    Object.entries({ ...good, ...change }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    )
  const options = parseOptions(argv())
  assert.equal(options.token, '0123456789abcdef')
  assert.equal(options.builder.url, 'http://127.0.0.1:7421')
  assert.deepEqual(options.listen, { host: '127.0.0.1', port: 7420 })
  assert.equal(options.subnet, null)

  const refused: [Record<string, string | undefined>, RegExp][] = [
    [{ state: undefined }, /--state is missing/],
    [{ images: join(folder, 'absent') }, /there is no folder/],
    [{ listen: '7420' }, /--listen is ADDRESS:PORT/],
    [{ 'token-file': join(folder, 'absent') }, /cannot read/],
    [{ 'token-file': join(folder, 'short') }, /at least 16 characters/],
    [{ builder: 'https://x' }, /--builder is an http/],
    [{ kind: 'xen' }, /--kind is kvm or lab/],
    [{ vmm: join(folder, 'absent') }, /there is no file/],
    [{ 'run-dir': `/${'r'.repeat(100)}` }, /too long for unix sockets/],
    [{ subnet: '8.8.8.0/24' }, /private IPv4 network/],
    [{ bridge: 'a/b' }, /interface name/],
    [{ colour: 'red' }, /colour/],
  ]
  for (const [change, message] of refused) {
    assert.throws(
      () => parseOptions(argv(change)),
      (error) => error instanceof UsageError && message.test(error.message),
      JSON.stringify(change),
    )
  }
})

test('addresses to listen on', () => {
  assert.deepEqual(parseListen('[::1]:80'), { host: '::1', port: 80 })
  assert.deepEqual(parseListen('localhost:0'), { host: 'localhost', port: 0 })
  for (const bad of ['::1:80', 'example.test:80', '127.0.0.1:65536', ':80', '127.0.0.1'])
    assert.throws(() => parseListen(bad), UsageError, bad)
})

test('the longest run directory that is accepted makes sockets the kernel accepts', () => {
  const runDir = `/${'r'.repeat(maxSocketPath - 1 - 1 - longestSocketName)}`
  for (const path of Object.values(vmSockets(runDir, '3f0e7f5e-8f7c-4c55-9c3a-6f0a4b1d2e3f')))
    assert.ok(Buffer.byteLength(path as string) <= maxSocketPath, `${path}`)
})
