/**
 * A viewer as a program, for tests whose VM runs in the lab, where its socket is: takes one command a line and
 * answers each with a line of JSON.
 *
 *   node console-client.ts SOCKET ENCODING
 *   shot FILE          the picture as PNG, with how many colours it has
 *   until-colours N    waits until the picture has so many colours, and no more updates come
 *   until-hash HASH    waits until the picture's pixels have that SHA-256 (0x00RRGGBB, little endian, row by row)
 *   settle MS          waits until no more than a blinking cursor changed for that long
 *   key CODE…          presses and releases XT scancodes one after the other (hexadecimal)
 *   type TEXT          keysyms, as a phone sends them; \n is Return
 *   pointer X Y MASK
 *   resize W H         asks for a size
 *   until W H          waits until the picture has that size
 *   pseudo             the pseudo-rectangles so far
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { PSEUDO } from '../../rfb/protocol.ts'
import { TestClient } from '../../rfb/testing/client.ts'
import { png } from './png.ts'

const [socketPath, encoding] = process.argv.slice(2) as [string, string]
const client = new TestClient(connect(socketPath))
await client.connect()
client.setEncodings(
  Number(encoding),
  PSEUDO.EXTENDED_DESKTOP_SIZE,
  PSEUDO.FENCE,
  PSEUDO.CONTINUOUS_UPDATES,
  PSEUDO.QEMU_EXTENDED_KEY_EVENT,
  PSEUDO.QEMU_LED_STATE,
  PSEUDO.CURSOR_WITH_ALPHA,
)
await client.until(() => client.messages.some((message) => message[0] === 150))
client.continuousUpdates()

const answer = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`)
const size = (): { width: number; height: number } => {
  const { width, height } = client.picture
  return { width, height }
}
answer({ name: client.name, ...size() })

const hash = (pixels: Uint32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(pixels.map((pixel) => pixel & 0xff_ffff).buffer))
    .digest('hex')

/** A character cell of the console. */
const CURSOR_PIXELS = 16 * 32

function differences(before: Uint32Array, after: Uint32Array): number {
  if (before.length !== after.length) return before.length
  return before.reduce((sum, pixel, i) => sum + (pixel === after[i] ? 0 : 1), 0)
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...args] = line.split(' ')
  switch (command) {
    case 'shot': {
      const { pixels, width, height } = client.picture
      writeFileSync(args[0]!, png(pixels, width, height))
      answer({ ...size(), colours: new Set(pixels).size, updates: client.updates, bytes: client.bytes })
      break
    }
    case 'until-colours': {
      const deadline = Date.now() + 120_000
      for (let seen = -1; seen !== client.updates && Date.now() < deadline; ) {
        seen = new Set(client.picture.pixels).size < Number(args[0]) ? -1 : client.updates
        await sleep(500)
      }
      answer({ ...size(), colours: new Set(client.picture.pixels).size })
      break
    }
    case 'until-hash': {
      // A picture that never comes is told by what is there instead.
      const deadline = Date.now() + 240_000
      while (hash(client.picture.pixels) !== args[0] && Date.now() < deadline) {
        // Not for each of many updates: it takes an emulated CPU long.
        for (let seen = -1; seen !== client.updates && Date.now() < deadline; ) {
          seen = client.updates
          await sleep(200)
        }
      }
      const { pixels } = client.picture
      if (Date.now() < deadline) answer(size())
      else answer({ error: 'another picture', updates: client.updates, colours: new Set(pixels).size })
      break
    }
    case 'settle': {
      let before: Uint32Array
      do {
        before = client.picture.pixels.slice()
        await sleep(Number(args[0]))
      } while (differences(before, client.picture.pixels) > CURSOR_PIXELS)
      answer({ updates: client.updates })
      break
    }
    case 'key':
      for (const code of args) {
        client.key(0, true, Number.parseInt(code, 16))
        client.key(0, false, Number.parseInt(code, 16))
      }
      answer({})
      break
    case 'type':
      for (const character of args.join(' ').replaceAll('\\n', '\r')) {
        const code = character === '\r' ? 0xff0d : character.codePointAt(0)!
        client.key(code, true)
        client.key(code, false)
      }
      answer({})
      break
    case 'pointer':
      client.pointer(Number(args[0]), Number(args[1]), Number(args[2]))
      answer({})
      break
    case 'resize':
      client.setDesktopSize(Number(args[0]), Number(args[1]))
      answer({})
      break
    case 'until':
      await client.until(() => `${client.picture.width} ${client.picture.height}` === args.join(' '))
      answer(size())
      break
    case 'pseudo':
      answer(
        client.pseudo.map(({ encoding: e, x, y, width, height, data }) => ({
          e,
          x,
          y,
          width,
          height,
          data: [...data.subarray(0, 8)],
        })),
      )
      break
    default:
      answer({ error: `unknown command ${command}` })
  }
}
client.close()
