import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { PSEUDO } from '../rfb/protocol.ts'
import { TestClient } from '../rfb/testing/client.ts'
import { ExitError } from '../sys/exit-error.ts'
import { TestMachine } from '../virtio/testing/machine.ts'
import { DisplayDevices } from './devices.ts'
import { INPUT_KIND, type InputReader, InputRing } from './input-ring.ts'
import { SURFACE_STRIDE, Surface } from './surface.ts'
import { DisplayThread } from './thread.ts'

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'hearth-display-'))
  t.after(() => rm(made, { recursive: true }))
  return made
}

test('the display thread serves RFB on a socket of its own, and devices hear of input', async (t) => {
  const socketPath = path.join(await folder(t), 'display.sock')
  const warnings: string[] = []
  const thread = await DisplayThread.start({
    path: socketPath,
    name: 'tiny',
    layout: 'us',
    warn: (text) => warnings.push(text),
  })
  assert.equal((await stat(socketPath)).mode & 0o777, 0o600)
  const machine = new TestMachine()
  const devices = new DisplayDevices(thread.handle, machine.loop)
  const surface = new Surface(thread.handle.surface)
  const socket = connect(socketPath)
  await once(socket, 'connect')
  const client = new TestClient(socket)
  await client.connect()
  assert.equal(client.name, 'tiny')
  assert.deepEqual([client.picture.width, client.picture.height], [1280, 800])
  client.setEncodings(7, PSEUDO.EXTENDED_DESKTOP_SIZE)
  client.request()
  await client.until(() => client.updates === 1)
  surface.pixels.fill(0x00ff00, 5 * SURFACE_STRIDE + 7, 5 * SURFACE_STRIDE + 9)
  surface.damage(7, 5, 2, 1)
  client.request()
  await client.until(() => client.picture.pixels[5 * 1280 + 8] === 0x00ff00)
  client.setDesktopSize(800, 600)
  client.pointer(1279, 799, 0)
  client.request()
  await client.until(() => client.pseudo.length === 2)
  assert.equal(client.pseudo[1]!.y, 4, 'forwarded to the guest')
  machine.until('the wish', () => surface.width === 800)
  client.request()
  await client.until(() => client.pseudo.length === 3)
  assert.deepEqual([client.picture.width, client.picture.height], [800, 600])
  devices.close()
  // The same screen after a reset, with new devices.
  const again = new DisplayDevices(thread.handle, machine.loop)
  assert.deepEqual([surface.width, surface.height], [800, 600])
  again.close()
  machine.close()
  await thread.close()
  await client.until(() => true)
  assert.deepEqual(warnings, [])
  await assert.rejects(stat(socketPath), /ENOENT/)
})

test('a socket that cannot be made is one clear error', async (t) => {
  const made = await folder(t)
  const options = { name: 'x', layout: 'us', warn: () => {} } as const
  await assert.rejects(
    DisplayThread.start({ ...options, path: path.join(made, 'no', 'such') }),
    (error: unknown) =>
      error instanceof ExitError && /--display .* folder does not exist/.test(error.message),
  )
})

test('input that nobody takes is dropped, and everything is let go', () => {
  const ring = new InputRing()
  const seen: string[] = []
  const reader: InputReader = {
    key: (code, down) => seen.push(`${code}${down}`),
    keysym: (sym) => seen.push(`sym${sym}`),
    pointer: (x, y, buttons) => seen.push(`${x},${y},${buttons}`),
    wheel: (v, h) => seen.push(`wheel${v},${h}`),
    releaseAll: () => seen.push('release'),
  }
  ring.put(INPUT_KIND.KEY, 30, 1, 0)
  ring.put(INPUT_KIND.KEYSYM, 0xffff_ffff | 0, 1, 0)
  ring.put(INPUT_KIND.POINTER, 1, 2, 3)
  ring.put(INPUT_KIND.WHEEL, -1, 0, 0)
  new InputRing(ring.shared).drain(reader)
  assert.deepEqual(seen, ['30true', 'sym4294967295', '1,2,3', 'wheel-1,0'])
  seen.length = 0
  let put = 0
  while (ring.put(INPUT_KIND.KEY, 1, 1, 0)) put++
  assert.equal(put, 4096)
  ring.drain(reader)
  assert.deepEqual(seen.slice(-2), ['1true', 'release'])
  seen.length = 0
  // Round and round: numbers wrap, nothing is lost.
  for (let i = 0; i < 9000; i++) {
    assert.ok(ring.put(INPUT_KIND.KEY, i, 0, 0))
    ring.drain(reader)
  }
  assert.equal(seen.length, 9000)
  assert.equal(seen[8999], '8999false')
})
