/** The real rules in the real kernel: veth pairs stand for TAPs, namespaces for guests and for the home's network. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import type { Firewall } from '@hearth/shared/network'
import { run } from '../host/command.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import type { Guest } from './guest-network.ts'
import { bridgeMac } from './nat.ts'
import { nftRuleset } from './nftables.ts'
import { whyNotFree } from './ports.ts'
import { parseSubnet } from './subnet.ts'
import { tapName } from './tap-name.ts'

const subnet = parseSubnet('10.83.0.0/24')!
const bridge = 'hearth0'
const mac = (last: number) => `52:54:00:00:00:0${last}`
const guest = (last: number, more: Partial<Guest> = {}): Guest => ({
  vmUid: `guest-${last}`,
  name: `guest-${last}`,
  mac: mac(last),
  address: `10.83.0.${last}`,
  ...more,
})

/** A program in a namespace that answers every TCP connection and datagram with its name. */
const answering = (name: string) => `
  require('net').createServer((socket) => socket.on('error', () => 0).end('${name}')).listen(80, '0.0.0.0')
  require('net').createServer((socket) => socket.on('error', () => 0).end('${name}')).listen(81, '0.0.0.0')
  const udp = require('dgram').createSocket('udp4')
  udp.on('message', (_, from) => udp.send('${name}', from.port, from.address))
  udp.bind(53, () => console.log('up'))`

/** Long enough for an answer on a busy machine, unless none is expected. */
const patience = 30_000
const moment = 1500

const asking = (address: string, port: number, waitMs = patience) => `
  const socket = require('net').connect({ host: '${address}', port: ${port}, timeout: ${waitMs} })
  socket.on('data', (data) => { console.log(String(data)); process.exit() })
  socket.on('timeout', () => { console.log('silence'); process.exit() })
  socket.on('error', (error) => { console.log(error.code); process.exit() })`

const askingUdp = (address: string, port: number, waitMs = patience) => `
  const udp = require('dgram').createSocket('udp4')
  udp.on('message', (data) => { console.log(String(data)); process.exit() })
  udp.on('error', (error) => { console.log(error.code); process.exit() })
  udp.connect(${port}, '${address}', () => udp.send('?'))
  setTimeout(() => { console.log('silence'); process.exit() }, ${waitMs})`

const within = (namespace: string, script: string) => [
  ...['netns', 'exec', namespace, process.execPath, '-e', script],
]
const ask = async (namespace: string, address: string, port: number, waitMs = patience) =>
  (await run('ip', within(namespace, asking(address, port, waitMs)))).trim()
const askUdp = async (namespace: string, address: string, port: number, waitMs = patience) =>
  (await run('ip', within(namespace, askingUdp(address, port, waitMs)))).trim()
const setRules = (guests: Guest[]) =>
  run('nft', ['-f', '-'], {
    input: nftRuleset({ bridge, bridgeMac: bridgeMac('test'), subnet, kind: 'kvm', guests }),
  })
const addresses = (namespace: string, lines: string[]) =>
  run('ip', ['-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` })

const refused = /EHOSTUNREACH|ECONNREFUSED|EACCES/

inOwnNetwork(import.meta.url, () => {
  const servers: ReturnType<typeof spawn>[] = []

  before(async () => {
    await run('mount', ['-t', 'tmpfs', 'tmpfs', '/run'])
    for (const name of ['one', 'two', 'home', 'internet']) await run('ip', ['netns', 'add', name])
    await run('ip', ['-batch', '-'], {
      input: [
        `link add ${bridge} type bridge`,
        `link set ${bridge} address ${bridgeMac('test')}`,
        `address add 10.83.0.1/24 dev ${bridge}`,
        `link set ${bridge} up`,
        ...[2, 3].flatMap((last) => [
          `link add ${tapName(`guest-${last}`)} type veth peer name eth0 address ${mac(last)} netns ${last === 2 ? 'one' : 'two'}`,
          `link set ${tapName(`guest-${last}`)} master ${bridge} up`,
        ]),
        'link add lan type veth peer name eth0 netns home',
        'address add 192.168.7.1/24 dev lan',
        'link set lan up',
        'link add wan type veth peer name eth0 netns internet',
        'address add 198.51.100.1/24 dev wan',
        'link set wan up',
        '',
      ].join('\n'),
    })
    await run('sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
    await run('sysctl', [
      '-qw',
      'net.ipv4.conf.all.send_redirects=0',
      `net.ipv4.conf.${bridge}.send_redirects=0`,
    ])
    // Where other software has loaded br_netfilter: a box without it is what is tested.
    await run('sysctl', ['-qw', 'net.bridge.bridge-nf-call-iptables=0']).catch(() => undefined)
    const places: [string, string, string][] = [
      ['one', '10.83.0.2/24', '10.83.0.1'],
      ['two', '10.83.0.3/24', '10.83.0.1'],
      ['home', '192.168.7.2/24', '192.168.7.1'],
      ['internet', '198.51.100.2/24', '198.51.100.1'],
    ]
    for (const [name, address, gateway] of places)
      await addresses(name, [
        'link set lo up',
        `address add ${address} dev eth0`,
        'link set eth0 up',
        `route add default via ${gateway}`,
      ])
    for (const name of ['one', 'two', 'home']) {
      const server = spawn('ip', within(name, answering(name)), { stdio: ['ignore', 'pipe', 'inherit'] })
      servers.push(server)
      await once(server.stdout, 'data')
    }
  })
  after(() => {
    for (const server of servers) server.kill()
  })

  const forwards = [
    { protocol: 'tcp', hostPort: 8080, guestPort: 80 },
    { protocol: 'udp', hostPort: 5353, guestPort: 53 },
  ] as const

  test('a forwarded port leads into the guest, from everywhere the box is reached', async () => {
    await setRules([guest(2), guest(3)])
    assert.equal(await ask('home', '192.168.7.1', 8080), 'ECONNREFUSED')
    await setRules([guest(2, { forwards }), guest(3)])
    assert.equal(await ask('home', '192.168.7.1', 8080), 'one')
    assert.equal(await askUdp('home', '192.168.7.1', 5353), 'one')
    assert.equal(await ask('internet', '198.51.100.1', 8080), 'one')
    // Another guest, the guest itself and the box, all by an address of the box.
    assert.equal(await ask('two', '192.168.7.1', 8080), 'one')
    assert.equal(await ask('one', '10.83.0.1', 8080), 'one')
    await setRules([guest(2, { forwards }), guest(3)])
    const own = await run(process.execPath, ['-e', asking('192.168.7.1', 8080)])
    assert.equal(own.trim(), 'one')
    // Nothing else of the guest is reached through the box, and it reaches the world.
    assert.equal(await ask('home', '10.83.0.2', 81, moment), 'silence')
    assert.equal(await ask('one', '192.168.7.2', 80), 'home')
    await setRules([guest(2), guest(3, { forwards })])
    assert.equal(await ask('home', '192.168.7.1', 8080), 'two')
  })

  test('a firewall decides who may open connections, and to which ports', async () => {
    const withFirewall = (firewall: Firewall) => setRules([guest(2, { forwards, firewall }), guest(3)])
    assert.equal(await ask('two', '10.83.0.2', 81), 'one')
    await withFirewall({ from: 'anywhere', ports: [] })
    assert.equal(await ask('internet', '198.51.100.1', 8080), 'one', 'a forwarded port is let in')
    assert.equal(await ask('two', '10.83.0.2', 80), 'one')
    assert.match(await ask('two', '10.83.0.2', 81), refused)
    await withFirewall({ from: 'anywhere', ports: [{ protocol: 'tcp', first: 81, last: 90 }] })
    assert.equal(await ask('two', '10.83.0.2', 81), 'one')
    await withFirewall({ from: 'home', ports: null })
    assert.equal(await ask('internet', '198.51.100.1', 8080, moment), 'silence')
    assert.equal(await ask('home', '192.168.7.1', 8080), 'one')
    assert.equal(await ask('two', '10.83.0.2', 81), 'one')
    await withFirewall({ from: 'nobody', ports: null })
    assert.match(await ask('home', '192.168.7.1', 8080), refused)
    assert.match(await ask('two', '10.83.0.2', 80), refused)
    assert.match(await askUdp('two', '10.83.0.2', 53, moment), /silence|ECONNREFUSED|EHOSTUNREACH|EACCES/)
    // What it asks for itself is answered: outside, and by other guests.
    assert.equal(await ask('one', '192.168.7.2', 80), 'home')
    assert.equal(await ask('one', '10.83.0.3', 80), 'two')
    assert.equal(await askUdp('one', '10.83.0.3', 53), 'two')
    await setRules([guest(2), guest(3)])
    assert.equal(await ask('two', '10.83.0.2', 81), 'one')
  })

  test('a guest cannot take the address of another, or of a card it does not have', async () => {
    await setRules([guest(2), guest(3)])
    assert.equal(await ask('two', '10.83.0.2', 80), 'one')
    await addresses('two', [
      'address add 10.83.0.9/24 dev eth0',
      'route change default via 10.83.0.1 src 10.83.0.9',
    ])
    assert.match(await ask('two', '192.168.7.2', 80, moment), /silence|EHOSTUNREACH/)
    await addresses('two', ['route change default via 10.83.0.1 src 10.83.0.3'])
    assert.equal(await ask('two', '192.168.7.2', 80), 'home')
    await addresses('two', ['neigh flush all', 'link set eth0 address 52:54:00:00:00:77'])
    assert.match(await ask('two', '10.83.0.2', 80, moment), /silence|EHOSTUNREACH/)
    await addresses('two', ['link set eth0 address 52:54:00:00:00:03', 'route replace default via 10.83.0.1'])
    assert.equal(await ask('two', '10.83.0.2', 80), 'one')
  })

  test('a port that a program of the box listens on is not free', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port: hostPort } = server.address() as { port: number }
    const wanted = { protocol: 'tcp', hostPort, guestPort: 80 } as const
    assert.equal(await whyNotFree(wanted), 'EADDRINUSE')
    assert.equal(await whyNotFree({ ...wanted, protocol: 'udp' }), null)
    server.close()
    await once(server, 'close')
    assert.equal(await whyNotFree(wanted), null)
  })
})
