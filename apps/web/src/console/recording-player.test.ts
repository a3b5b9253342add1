import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordingPlayer } from './recording-player.ts'
import { AsciicastReader, FbsReader } from './recording-reader.ts'

/** FBS as the agent writes it. */
function fbs(...blocks: [at: number, data: string][]): Buffer {
  const parts: Buffer[] = [Buffer.from('FBS 001.000\n')]
  for (const [at, data] of blocks) {
    const block = Buffer.alloc(8 + ((data.length + 3) & ~3))
    block.writeUInt32BE(data.length, 0)
    block.write(data, 4)
    block.writeUInt32BE(at, block.length - 4)
    parts.push(block)
  }
  return Buffer.concat(parts)
}

test('FBS and asciicast are read however their bytes are cut', () => {
  const screen = fbs([0, 'RFB 003.003\n'], [40, 'abcde'], [90, ''])
  const serial = Buffer.from(
    '{"version":2,"width":80,"height":24}\n[0.5,"o","grün"]\n[1,"i","typed"]\n[1.25,"o","\\r\\n"]\n',
  )
  for (const size of [1, 7, 4096]) {
    const read = (reader: FbsReader | AsciicastReader, file: Buffer) => {
      const out: string[] = []
      for (let at = 0; at < file.length; at += size)
        for (const piece of reader.append(file.subarray(at, at + size)))
          out.push(`${piece.at} ${JSON.stringify(Buffer.from(piece.data).toString())}`)
      return out
    }
    assert.deepEqual(read(new FbsReader(), screen), ['0 "RFB 003.003\\n"', '40 "abcde"', '90 ""'])
    assert.deepEqual(read(new AsciicastReader(), serial), ['500 "grün"', '1250 "\\r\\n"'])
  }
  assert.throws(() => new FbsReader().append(Buffer.from('no recording at all')))
  assert.throws(() => new FbsReader().append(Buffer.concat([fbs(), Buffer.from([255, 0, 0, 0])])))
  assert.throws(() => new AsciicastReader().append(Buffer.from('{"version":1}\n')))
})

function setUp() {
  let now = 0
  let frame: (() => void) | null = null
  let shown = ''
  const player = new RecordingPlayer({
    screen: {
      reset: () => {
        shown = ''
      },
      write: (data) => {
        shown += Buffer.from(data).toString()
      },
    },
    now: () => now,
    frame: (then) => {
      frame = then
      return () => {
        frame = null
      }
    },
  })
  return {
    player,
    shown: () => shown,
    /** Lets time pass, in frames of 10 ms; false: nobody waits for a frame any more. */
    pass(ms: number): boolean {
      for (let left = ms; left > 0; left -= 10) {
        now += 10
        const then = frame
        frame = null
        then?.()
      }
      return frame !== null
    },
  }
}
const piece = (at: number, text: string) => ({ at, data: Uint8Array.from(Buffer.from(text)) })

test('plays at its speed, pauses, ends, and begins anew', () => {
  const { player, shown, pass } = setUp()
  player.play()
  pass(50)
  assert.equal(player.getState().playing, true, 'it waits for what has not arrived yet')
  player.pause()
  player.add([piece(0, 'a'), piece(100, 'b'), piece(200, 'c')])
  player.finish()
  assert.equal(pass(50), false, 'nothing happens by itself')
  assert.equal(shown(), 'a', 'but its first picture is there')
  player.play()
  pass(100)
  assert.equal(shown(), 'ab')
  player.pause()
  pass(500)
  assert.equal(shown(), 'ab')
  player.setSpeed(4)
  player.play()
  assert.equal(pass(40), false)
  assert.equal(shown(), 'abc')
  assert.deepEqual(player.getState(), {
    playing: false,
    position: 200,
    duration: 200,
    speed: 4,
    seeking: false,
  })
  player.play()
  assert.equal(player.getState().position, 0)
  pass(20)
  assert.equal(shown(), 'a')
})

test('a place that is chosen is drawn up to, forward and back, also before all has arrived', () => {
  const { player, shown, pass } = setUp()
  player.add([piece(0, 'a'), piece(100, 'b')])
  player.seek(100)
  pass(10)
  assert.equal(shown(), 'ab')
  player.seek(50)
  pass(10)
  assert.equal(shown(), 'a')
  assert.equal(player.getState().position, 50)
  player.play()
  pass(40)
  player.add([piece(300, 'c'), piece(250, 'd')])
  pass(60)
  assert.equal(shown(), 'ab')
  pass(210)
  assert.equal(shown(), 'abcd')
  // Large ones take several frames, during which time stands still.
  const large = 'x'.repeat(400_000)
  player.add([piece(400, large), piece(401, large), piece(402, large)])
  player.seek(402)
  assert.equal(player.getState().seeking, true)
  pass(10)
  assert.equal(player.getState().seeking, true)
  pass(10)
  assert.equal(player.getState().seeking, false)
  assert.equal(shown().length, 4 + 1_200_000)
  player.dispose()
})
