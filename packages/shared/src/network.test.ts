import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firewallSchema, formatAllowedPorts, parseAllowedPorts, portForwardsSchema } from './network.ts'

const forward = (hostPort: number, protocol = 'tcp') => ({ protocol, hostPort, guestPort: 80 })

test('a forward is a free port of the host and one of the guest', () => {
  assert.ok(portForwardsSchema.safeParse([forward(8080), forward(8080, 'udp')]).success)
  for (const bad of [[forward(0)], [forward(65536)], [forward(80.5)], [forward(8080, 'sctp')]])
    assert.equal(portForwardsSchema.safeParse(bad).success, false, JSON.stringify(bad))
  const message = (value: unknown) => portForwardsSchema.safeParse(value).error?.issues[0]?.message
  assert.equal(
    message([forward(22)]),
    'Port 22 is kept for SSH of the host itself. Choose another one, for example 8022.',
  )
  assert.match(message([forward(8080), forward(8080)]) ?? '', /one port of the guest only/)
  assert.match(message(Array.from({ length: 33 }, (_, i) => forward(9000 + i))) ?? '', /at most 32/)
})

test('allowed ports are written and read as people do', () => {
  const ports = parseAllowedPorts('22, 8000-8010/TCP 53/udp')
  assert.deepEqual(ports, [
    { protocol: 'tcp', first: 22, last: 22 },
    { protocol: 'tcp', first: 8000, last: 8010 },
    { protocol: 'udp', first: 53, last: 53 },
  ])
  assert.equal(formatAllowedPorts(ports), '22/tcp, 8000-8010/tcp, 53/udp')
  assert.deepEqual(parseAllowedPorts(formatAllowedPorts(ports)), ports)
  assert.deepEqual(parseAllowedPorts('  '), [])
  for (const bad of ['x', '0', '70000', '9-1', '22/icmp', '1--2'])
    assert.equal(parseAllowedPorts(bad), undefined, bad)
  assert.equal(firewallSchema.safeParse({ from: 'friends', ports: null }).success, false)
})
