import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Trouble } from '../lib/steps.ts'
import { isLoopback, parseOptions } from './options.ts'

const refusal = (...argv: string[]): string => {
  try {
    parseOptions(argv)
  } catch (error) {
    assert.ok(error instanceof Trouble, String(error))
    return error.message
  }
  return assert.fail(`${argv.join(' ')} was accepted`)
}

test('without options: loopback, port 8080, the host is found out', () => {
  const options = parseOptions([])!
  assert.equal(options.port, 8080)
  assert.equal(options.listen, '127.0.0.1')
  assert.deepEqual(options.host, { kind: 'auto' })
  assert.equal(options.install, true)
})

test('the value that npm leaves of an option without the double dash is told as that', () => {
  assert.match(refusal('9000'), /'9000'\. Options go behind a double dash: npm start -- --port 9000\./)
  assert.doesNotMatch(refusal('--prot', '9000'), /double dash/)
})

test('every option is taken', () => {
  const options = parseOptions([
    '--port',
    '9000',
    '--listen',
    '0.0.0.0',
    '--hostname',
    'box.home.arpa',
    '--state',
    '/tmp/x',
    '--host',
    'lab',
    '--no-install',
  ])!
  assert.deepEqual(options, {
    port: 9000,
    listen: '0.0.0.0',
    hostname: 'box.home.arpa',
    state: '/tmp/x',
    host: { kind: 'lab' },
    install: false,
  })
  assert.deepEqual(parseOptions(['--host', 'wss://box:7420/', '--host-token', '/t'])!.host, {
    kind: 'remote',
    url: 'wss://box:7420',
    tokenFile: '/t',
  })
  assert.equal(parseOptions(['--help']), undefined)
})

test('a wrong command line is refused with what to do', () => {
  assert.match(refusal('--prot', '1'), /--prot.*--help/s)
  assert.match(refusal('--port', '70000'), /1 to 65535/)
  assert.match(refusal('--port', 'http'), /1 to 65535/)
  assert.match(refusal('--host', 'vmware'), /kvm, lab, or the address/)
  assert.match(refusal('--host', 'ws://box:7420'), /--host-token/)
  assert.match(refusal('extra'), /--help/)
})

test('loopback is what only this machine reaches', () => {
  for (const address of ['127.0.0.1', '127.8.0.1', '::1', 'localhost'])
    assert.ok(isLoopback(address), address)
  for (const address of ['0.0.0.0', '::', '192.168.1.2', '1270.0.0.1', 'box.local'])
    assert.ok(!isLoopback(address), address)
})
