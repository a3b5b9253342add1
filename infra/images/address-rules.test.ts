import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test } from 'node:test'
import { isPublicAddress, parseAddress, publicLookup } from './address-rules.ts'

test('addresses of homes, of this machine and of links are not public, in every notation', () => {
  const inside = [
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '0.0.0.0'],
    ...[
      '100.64.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '198.18.0.1',
      '::',
      '::1',
      'fe80::1',
      'fd00::1',
      'ff02::1',
    ],
    // IPv4 inside IPv6: mapped, NAT64, 6to4, Teredo.
    ...['::ffff:192.168.1.1', '::ffff:7f00:1', '64:ff9b::a00:1', '2002:7f00:1::', '2001::1', '2001:db8::1'],
    'localhost',
  ]
  for (const address of inside) assert.equal(isPublicAddress(address), false, address)
  for (const address of ['8.8.8.8', '172.32.0.1', '151.101.1.1', '2a04:4e42::644', '2606:4700::1111'])
    assert.equal(isPublicAddress(address), true, address)
})

test('an address is http or https, without a password, and private only where that is allowed', () => {
  const strict = { allowPrivate: false }
  for (const text of [
    'ftp://example.org/a',
    'file:///etc/passwd',
    'nonsense',
    'https://me:secret@example.org/a',
  ])
    assert.throws(() => parseAddress(text, strict), { name: 'BuildError' }, text)
  // The URL standard reads all of these as 127.0.0.1 or its like.
  for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:10.0.0.1]', '127.1'])
    assert.throws(() => parseAddress(`http://${host}/a`, strict), /own network/, host)
  assert.equal(parseAddress('http://127.0.0.1/a', { allowPrivate: true }).hostname, '127.0.0.1')
  assert.equal(parseAddress('https://example.org/a.qcow2', strict).host, 'example.org')
})

test('a name that leads into the own network is refused where it is connected to', async () => {
  const { promise, resolve } = Promise.withResolvers<[Error | null, string | LookupAddress[]]>()
  publicLookup('localhost', { all: true }, (error, address) => resolve([error, address]))
  const [error] = await promise
  assert.match(String(error), /own network/)
})
