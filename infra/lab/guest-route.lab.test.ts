import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { canRouteToGuests, openGuestRoute } from './guest-route.ts'
import { sharedLab } from './shared.ts'

test('an address of the guests’ network inside the lab answers on this machine', {
  skip: canRouteToGuests() ? false : 'a TAP interface needs root',
}, async () => {
  const lab = await sharedLab()
  assert.ok(lab.guestSubnet)
  const address = lab.guestSubnet.replace(/0\/24$/, '7')
  const setUp = await lab.run('sh', [
    '-c',
    `ip link add guestlike type dummy && ip address add ${address}/24 dev guestlike && ip link set guestlike up`,
  ])
  assert.equal(setUp.code, 0, setUp.stderr)
  const listener = lab.spawn('/run/hearth-lab/bin/nc', ['-l', '-p', '8099', '-e', '/bin/echo', 'inside'])
  try {
    assert.equal(await answer(address, 8099), 'inside\n')
  } finally {
    await listener.stop()
    await lab.run('ip', ['link', 'del', 'guestlike'])
  }
})

test('labs that start at once get networks of their own', {
  skip: canRouteToGuests() ? false : 'a TAP interface needs root',
}, async () => {
  const routes = await Promise.all(Array.from({ length: 6 }, () => openGuestRoute()))
  try {
    assert.equal(new Set(routes.map(({ subnet }) => subnet)).size, routes.length)
    assert.equal(new Set(routes.map(({ labAddress }) => labAddress)).size, routes.length)
  } finally {
    for (const route of routes) await route[Symbol.asyncDispose]()
  }
})

/** What a TCP server says, tried until it listens. */
async function answer(host: string, port: number): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await new Promise<string>((resolve, reject) => {
        let text = ''
        const socket = net.connect({ host, port })
        socket.setEncoding('utf8')
        socket.on('data', (chunk: string) => {
          text += chunk
        })
        socket.on('end', () => resolve(text))
        socket.on('error', reject)
      })
    } catch (error) {
      if (attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
