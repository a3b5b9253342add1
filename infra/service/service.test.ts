/** The units as far as a machine without a running systemd shows them: systemd reads them, and what they start exists. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { buildPrograms } from '../build/programs.ts'
import { Trouble } from '../lib/steps.ts'
import { parseServiceOptions, readSettings, type ServiceSettings } from './options.ts'
import { here, type UnitName, unitNames, units } from './units.ts'

const settings: ServiceSettings = {
  port: 8080,
  listen: '127.0.0.1',
  hostname: 'box.home.arpa',
  state: '/var/lib/hearth',
}
const beyond = { ...settings, listen: '0.0.0.0', port: 443 }
const valuesOf = (text: string, key: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1))

test('systemd understands every line of the units', async (t) => {
  await buildPrograms()
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-units-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const variant of [settings, beyond]) {
    for (const [name, text] of Object.entries(units(variant))) await writeFile(path.join(folder, name), text)
    const { status, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', '--man=no', '--recursive-errors=no', ...unitNames.map((name) => path.join(folder, name))],
      { encoding: 'utf8', env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` } },
    )
    const ours = stderr.split('\n').filter((line) => line.includes('hearth'))
    assert.deepEqual([status, ours], [0, []], stderr)
  }
})

test('what the units start is there, and gets only options it knows', () => {
  for (const [name, text] of Object.entries(units(beyond))) {
    for (const command of ['ExecStart', 'ExecStartPre', 'ExecStop'].flatMap((key) => valuesOf(text, key))) {
      if (command === '/bin/true') continue
      const [node, program, ...args] = command.split(' ')
      assert.equal(node, here.node)
      assert.ok(existsSync(program!), `${name}: ${program}`)
      assert.equal(args.length % 2, 0)
      assert.ok(
        args.every((word, index) => word.startsWith('--') === (index % 2 === 0)),
        command,
      )
    }
  }
})

test('a restart of agent or portal leaves VMs alone; the box going down shuts them down first', () => {
  const all = units(settings)
  assert.deepEqual(valuesOf(all['hearth-agent.service'], 'KillMode'), ['process'])
  const guests = all['hearth-guests.service']
  assert.match(valuesOf(guests, 'ExecStop')[0]!, /shutdown-guests\.ts/)
  assert.ok(valuesOf(guests, 'After')[0]!.includes('hearth-agent.service'))
  for (const key of ['Requires', 'BindsTo']) assert.deepEqual(valuesOf(guests, key), [])
  for (const name of unitNames.filter(
    (one): one is Exclude<UnitName, 'hearth.target'> => one !== 'hearth.target',
  ))
    assert.deepEqual(valuesOf(all[name], 'PartOf'), ['hearth.target'], name)
})

test('the portal is no root, writes only what is its own, and gets a certificate beyond loopback', () => {
  const plain = units(settings)['hearth-portal.service']
  assert.deepEqual(valuesOf(plain, 'User'), ['hearth'])
  assert.deepEqual(valuesOf(plain, 'ReadWritePaths'), ['/var/lib/hearth/portal /var/lib/hearth/secrets'])
  assert.deepEqual(valuesOf(plain, 'CapabilityBoundingSet'), [''])
  assert.doesNotMatch(plain, /--tls|ExecStartPre/)
  const secure = units(beyond)['hearth-portal.service']
  assert.match(valuesOf(secure, 'ExecStartPre')[0]!, /certificate\.ts .*--hostname box\.home\.arpa/)
  assert.match(
    valuesOf(secure, 'ExecStart')[0]!,
    /--listen 0\.0\.0\.0 .*--tls-cert .*--hostname box\.home\.arpa/,
  )
  assert.deepEqual(valuesOf(secure, 'AmbientCapabilities'), ['CAP_NET_BIND_SERVICE'])
})

test('what is not said stays as it was; what cannot be is refused before anything is changed', async (t) => {
  const first = parseServiceOptions([], {})!.settings
  assert.deepEqual([first.port, first.listen, first.state], [8080, '127.0.0.1', '/var/lib/hearth'])
  assert.deepEqual(parseServiceOptions(['--port', '9000'], beyond)!.settings, { ...beyond, port: 9000 })
  assert.equal(parseServiceOptions(['--help'], {}), undefined)
  for (const argv of [
    ['--port', 'high'],
    ['--hostname', 'my box'],
    ['--state', '/srv/100 %'],
    ['--colour', 'red'],
  ])
    assert.throws(() => parseServiceOptions(argv, {}), Trouble, argv.join(' '))
  const file = path.join(await mkdtemp(path.join(os.tmpdir(), 'hearth-service-')), 'service.json')
  t.after(() => rm(path.dirname(file), { recursive: true }))
  assert.deepEqual(await readSettings(file), {})
  await writeFile(file, JSON.stringify(settings))
  assert.deepEqual(await readSettings(file), settings)
  await writeFile(file, '{"port": "8080"}')
  await assert.rejects(readSettings(file), /Remove it/)
})
