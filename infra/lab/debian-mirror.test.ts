import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aptSources, parseIndexTargets } from './debian-mirror.ts'

test("the machine's own mirrors are found among its other sources", () => {
  const text = [
    'Another vendor\tTheir archive\tmain\thttps://vendor.example/apt/',
    'Debian\tDebian\tcontrib\thttp://other.example/debian/',
    'Debian\tDebian\tmain\thttp://mirror.example/debian/',
    'Debian\tDebian-Security\tmain\thttp://mirror.example/debian-security/',
  ].join('\n')
  const mirror = parseIndexTargets(text)
  assert.deepEqual(mirror, {
    main: 'http://mirror.example/debian',
    security: 'http://mirror.example/debian-security',
  })
  assert.deepEqual(aptSources(mirror, 'bookworm', { signedBy: false }), [
    'deb http://mirror.example/debian bookworm main',
    'deb http://mirror.example/debian bookworm-updates main',
    'deb http://mirror.example/debian-security bookworm-security main',
  ])
  assert.equal(aptSources({ ...mirror, security: undefined }, 'trixie', { signedBy: true }).length, 2)
})

test('a machine without a Debian mirror is told so', () => {
  assert.throws(() => parseIndexTargets(''), /no Debian mirror configured/)
})
