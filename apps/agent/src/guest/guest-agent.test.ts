import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Asked, listenAsGuest } from '../testing/guest-agent-server.ts'
import { GuestAgent } from './guest-agent.ts'

/** An agent in a guest, behind its port; `answer` is what it says to a command, undefined nothing. */
async function guest(t: TestContext, answer: (asked: Asked) => string | undefined, greeting = '') {
  const folder = mkdtempSync(join(tmpdir(), 'guest-agent-'))
  const { asked, stop } = await listenAsGuest(join(folder, 'port'), answer, greeting)
  t.after(() => {
    stop()
    rmSync(folder, { recursive: true })
  })
  return { agent: new GuestAgent(join(folder, 'port')), asked }
}

const mac = '52:54:00:aa:bb:cc'
const card = (hardware: string, ...addresses: string[]) => ({
  name: 'eth0',
  'hardware-address': hardware,
  'ip-addresses': addresses.map((address) => ({
    'ip-address': address,
    prefix: 24,
    'ip-address-type': 'ipv4',
  })),
})

test('addresses are those of the VM’s own card that others can use', async (t) => {
  const found = JSON.stringify({
    return: [
      { name: 'lo', 'ip-addresses': [{ 'ip-address': '127.0.0.1' }] },
      card('52:54:00:AA:BB:CC', '10.83.0.7', 'fe80::1', 'FD00::7', '169.254.1.1', 'no address', '<b>'),
      card('02:42:00:00:00:01', '172.17.0.1'),
      { name: 'none' },
    ],
  })
  const { agent, asked } = await guest(t, () => found)
  assert.deepEqual(await agent.addresses(mac), ['10.83.0.7', 'fd00::7'])
  assert.deepEqual(
    asked.map(({ execute }) => execute),
    ['guest-sync-delimited', 'guest-network-get-interfaces'],
  )
})

test('calls at the same time come one after the other', async (t) => {
  const { agent, asked } = await guest(t, () => JSON.stringify({ return: [card(mac, '10.83.0.7')] }))
  const all = await Promise.all([agent.addresses(mac), agent.addresses(mac), agent.addresses(mac)])
  assert.deepEqual(all, new Array(3).fill(['10.83.0.7']))
  const commands = asked.map(({ execute }) => execute)
  const one = ['guest-sync-delimited', 'guest-network-get-interfaces']
  assert.deepEqual(commands, [...one, ...one, ...one])
})

test('what another conversation left is passed by', async (t) => {
  const { agent } = await guest(
    t,
    () => JSON.stringify({ return: [card(mac, '10.83.0.7')] }),
    '{"return": "old"}\n{"retu',
  )
  assert.deepEqual(await agent.addresses(mac), ['10.83.0.7'])
})

test('a shutdown has no answer and needs none', async (t) => {
  const { agent, asked } = await guest(t, () => undefined)
  await agent.shutdown()
  while (asked.length < 2) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(asked[1], { execute: 'guest-shutdown', arguments: { mode: 'powerdown' } })
})

test('file systems are held still, and let go also by a guest that is slow to answer', async (t) => {
  let thaws = 0
  const { agent, asked } = await guest(t, ({ execute }) => {
    if (execute === 'guest-fsfreeze-freeze') return '{"return": 2}'
    // Not the first time: as from an agent that is still busy.
    return ++thaws === 1 ? '{"error": {"class": "GenericError", "desc": "busy"}}' : '{"return": 2}'
  })
  await agent.freeze()
  await agent.thaw()
  assert.deepEqual(
    asked.map(({ execute }) => execute).filter((command) => !command.includes('sync')),
    ['guest-fsfreeze-freeze', 'guest-fsfreeze-thaw', 'guest-fsfreeze-thaw'],
  )
  const nothing = await guest(t, () => '{"return": 0}')
  await assert.rejects(nothing.agent.freeze(), /no file system/)
})

test('no agent, a refusal, nonsense and a flood are errors in a line', async (t) => {
  await assert.rejects(new GuestAgent('/nonexistent/port').addresses(mac), /ENOENT/)
  for (const [said, pattern] of [
    ['{"error": {"class": "CommandNotFound", "desc": "disabled"}}', /refuses: disabled/],
    ['{"return": {"not": "a list"}}', /expected array/],
    ['{"neither": 1}', /Invalid input/],
    ['not JSON', /JSON/],
    ['x'.repeat(2 ** 20 + 1), /says too much/],
    [undefined, /does not answer/],
  ] as const) {
    const { agent } = await guest(t, () => said)
    await assert.rejects(agent.addresses(mac), pattern)
  }
})
