import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dhcpHosts, dnsmasqArguments, dnsmasqFiles, upstreamServers } from './dnsmasq.ts'
import { leasedAddresses, withoutStrangers } from './leases.ts'
import { bridgeMac } from './nat.ts'
import { nftRuleset, nftTableName } from './nftables.ts'
import { nameServersBehindLoopback, passtArguments } from './passt.ts'
import { chooseAddress, chooseSubnet, overlaps, parseSubnet } from './subnet.ts'
import { tapName } from './tap-name.ts'

const subnet = parseSubnet('10.83.0.0/24')!

test('a subnet is a private /24 and nothing else', () => {
  assert.equal(subnet.gateway, '10.83.0.1')
  assert.ok(parseSubnet('192.168.7.0/24'))
  assert.ok(parseSubnet('172.31.0.0/24'))
  for (const bad of ['10.83.0.0/16', '10.83.0.1/24', '8.8.8.0/24', '172.32.0.0/24', '10.256.0.0/24', '', 'x'])
    assert.equal(parseSubnet(bad), undefined, bad)
})

test('a subnet in use is left alone, whatever its size', () => {
  assert.ok(overlaps(subnet, { address: '10.0.0.0', bits: 8 }))
  assert.ok(overlaps(subnet, { address: '10.83.0.77', bits: 32 }))
  assert.ok(!overlaps(subnet, { address: '10.83.1.0', bits: 24 }))
  assert.ok(!overlaps(subnet, { address: '0.0.0.0', bits: 0 }))
  assert.equal(chooseSubnet(subnet, [])?.cidr, '10.83.0.0/24')
  assert.equal(chooseSubnet(subnet, [{ address: '10.83.0.0', bits: 23 }])?.cidr, '10.83.2.0/24')
  assert.equal(chooseSubnet(subnet, [{ address: '10.0.0.0', bits: 8 }]), undefined)
  assert.equal(
    chooseSubnet(parseSubnet('192.168.9.0/24')!, [{ address: '10.0.0.0', bits: 8 }])?.cidr,
    '192.168.9.0/24',
  )
})

test('addresses are given lowest first, and run out', () => {
  assert.equal(chooseAddress(subnet, []), '10.83.0.2')
  assert.equal(chooseAddress(subnet, ['10.83.0.2', '10.83.0.4']), '10.83.0.3')
  const all = Array.from({ length: 253 }, (_, index) => `10.83.0.${index + 2}`)
  assert.equal(chooseAddress(subnet, all), undefined)
})

test('names of interfaces fit the kernel and stay the same', () => {
  const uid = '3f0e7f5e-8f7c-4c55-9c3a-6f0a4b1d2e3f'
  assert.match(tapName(uid), /^ht[0-9a-f]{12}$/)
  assert.equal(tapName(uid), tapName(uid))
  assert.ok(tapName(uid).length <= 15)
  assert.match(bridgeMac('x'), /^02(:[0-9a-f]{2}){5}$/)
  assert.equal(nftTableName('hearth0'), 'hearth')
  assert.notEqual(nftTableName('hearth1'), 'hearth')
})

test('dnsmasq gets its files, one network and nothing of this machine', () => {
  const args = dnsmasqArguments({ bridge: 'hearth0', subnet, files: dnsmasqFiles('/run/h', '/state') })
  for (const wanted of [
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--interface=hearth0',
    '--except-interface=lo',
    '--bind-interfaces',
    '--dhcp-range=10.83.0.0,static,255.255.255.0,12h',
    '--dhcp-hostsfile=/run/h-dns/dhcp-hosts',
    '--dhcp-leasefile=/state/dhcp.leases',
    '--local=/home.arpa/',
  ])
    assert.ok(args.includes(wanted), wanted)
  assert.equal(
    dhcpHosts([
      { vmUid: 'a', name: 'web', mac: '52:54:00:00:00:01', address: '10.83.0.2' },
      { vmUid: 'b', name: 'none', mac: '52:54:00:00:00:02', address: null },
    ]),
    '52:54:00:00:00:01,10.83.0.2,web\n',
  )
  assert.deepEqual(
    upstreamServers(
      '# x\nnameserver 10.83.0.1\nnameserver 9.9.9.9\n nameserver ::1\nnameserver 9.9.9.9\n',
      '10.83.0.1',
    ),
    ['9.9.9.9', '::1'],
  )
})

test('leases are read by MAC, expired ones are none, and strangers are taken out', () => {
  const text = [
    '2000 52:54:00:00:00:01 10.83.0.2 web 01:52:54:00:00:00:01',
    '500 52:54:00:00:00:02 10.83.0.3 * *',
    '0 52:54:00:00:00:03 10.83.0.4 * *',
    'duid 00:01:00:01',
    '',
  ].join('\n')
  const now = leasedAddresses(text, 1000)
  assert.deepEqual(now.get('52:54:00:00:00:01'), ['10.83.0.2'])
  assert.equal(now.get('52:54:00:00:00:02'), undefined)
  assert.deepEqual(now.get('52:54:00:00:00:03'), ['10.83.0.4'])
  const kept = withoutStrangers(text, new Set(['52:54:00:00:00:01', '52:54:00:00:00:02']))
  assert.doesNotMatch(kept, /00:03/)
  assert.match(kept, /duid/)
  assert.equal(withoutStrangers(kept, new Set(['52:54:00:00:00:01', '52:54:00:00:00:02'])), kept)
})

test('the firewall closes the box to guests, and in the lab the machine outside too', () => {
  const network = { bridge: 'hearth0', bridgeMac: bridgeMac('x'), subnet, guests: [] }
  const kvm = nftRuleset({ ...network, kind: 'kvm' })
  assert.match(kvm, /ip saddr 10\.83\.0\.0\/24 ip daddr != 10\.83\.0\.0\/24 masquerade/)
  assert.match(kvm, /oifname "hearth0" iifname != "hearth0" drop/)
  assert.doesNotMatch(kvm, /10\.0\.2\.0/)
  assert.match(nftRuleset({ ...network, kind: 'lab' }), /10\.0\.2\.0\/24.*reject/)
})

test('passt keeps the host’s loopback to itself and ends with its VM', () => {
  const args = passtArguments('/run/x.net', [])
  for (const wanted of ['--no-map-gw', '--one-off', '--foreground']) assert.ok(args.includes(wanted), wanted)
  assert.deepEqual(args.slice(-2), ['--socket', '/run/x.net'])
  assert.equal(args[args.indexOf('--tcp-ports') + 1], 'none')
  const forwards = [
    { protocol: 'tcp', hostPort: 8080, guestPort: 80 },
    { protocol: 'tcp', hostPort: 8443, guestPort: 443 },
  ] as const
  const open = passtArguments('/run/x.net', [], { forwards })
  assert.equal(open[open.indexOf('--tcp-ports') + 1], '8080:80,8443:443')
  assert.equal(open[open.indexOf('--udp-ports') + 1], 'none')
  const closed = passtArguments('/run/x.net', [], { forwards, firewall: { from: 'nobody', ports: null } })
  assert.equal(closed[closed.indexOf('--tcp-ports') + 1], 'none')
  assert.equal(args.includes('--dns'), false)
  const told = passtArguments(
    '/run/x.net',
    nameServersBehindLoopback('nameserver 127.0.0.53\n', 'nameserver 9.9.9.9\n'),
  )
  assert.equal(told[told.indexOf('--dns') + 1], '9.9.9.9')
  assert.deepEqual(
    nameServersBehindLoopback('nameserver 1.1.1.1\nnameserver ::1\n', 'nameserver 9.9.9.9\n'),
    [],
  )
})
