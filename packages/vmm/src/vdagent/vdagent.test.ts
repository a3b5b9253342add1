import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MAX_CLIPBOARD_BYTES, VD_AGENT, VD_AGENT_CAP, VDP } from './protocol.ts'
import { announce, message, messagesOf, u32s } from './testing/guest-agent.ts'
import { VdAgent } from './vdagent.ts'

const { CLIPBOARD_BY_DEMAND, CLIPBOARD_SELECTION, GUEST_LINEEND_CRLF } = VD_AGENT_CAP

function setUp() {
  const sent: Uint8Array[] = []
  const news: string[] = []
  const line = { full: false }
  const agent = new VdAgent({
    send: (bytes) => {
      if (!line.full) sent.push(bytes)
      return !line.full
    },
    copied: (text) => news.push(`copied ${text}`),
    available: (on) => news.push(on ? 'there' : 'gone'),
    fault: (text) => news.push(`fault: ${text}`),
  })
  return {
    agent,
    news,
    line,
    /** What the guest got since the last call, as "type hex". */
    took: () =>
      messagesOf(Buffer.concat(sent.splice(0))).map(([type, data]) => `${type} ${data.toString('hex')}`),
    sent,
  }
}

const hex = (text: string): string => Buffer.from(text).toString('hex')

describe('the guest’s clipboard agent', () => {
  test('is greeted, answered, and asked for what it has', () => {
    const { agent, took, news } = setUp()
    agent.opened(true)
    assert.deepEqual(took(), ['6 0100000060000000'])
    agent.receive(announce(true, CLIPBOARD_BY_DEMAND, CLIPBOARD_SELECTION))
    assert.deepEqual(took(), ['6 0000000060000000'])
    assert.deepEqual(news.splice(0), ['there'])
    // A picture and text: the text.
    agent.receive(message(VD_AGENT.CLIPBOARD_GRAB, u32s(0, 2, 1)))
    assert.deepEqual(took(), ['8 0000000001000000'])
    agent.receive(message(VD_AGENT.CLIPBOARD, Buffer.concat([u32s(0, 1), Buffer.from('grüße\r\n日本')])))
    assert.deepEqual(news.splice(0), ['copied grüße\n日本'])
    // Only a picture, and X11's primary selection: nothing is asked for.
    agent.receive(message(VD_AGENT.CLIPBOARD_GRAB, u32s(0, 2)))
    agent.receive(message(VD_AGENT.CLIPBOARD_GRAB, u32s(1, 1)))
    assert.deepEqual(took(), [])
    agent.opened(false)
    assert.deepEqual(news, ['gone'])
  })

  test('takes what a viewer copied, also when that was before it came', () => {
    const { agent, took } = setUp()
    agent.offer('early')
    agent.opened(true)
    agent.receive(announce(false, CLIPBOARD_BY_DEMAND, CLIPBOARD_SELECTION))
    assert.deepEqual(took(), ['6 0100000060000000', '7 0000000001000000'])
    agent.receive(message(VD_AGENT.CLIPBOARD_REQUEST, u32s(0, 1)))
    assert.deepEqual(took(), [`4 0000000001000000${hex('early')}`])
    agent.receive(message(VD_AGENT.CLIPBOARD_REQUEST, u32s(0, 2)))
    assert.deepEqual(took(), ['4 0000000000000000'])
    // Once the guest copied something itself, the viewer's text is gone.
    agent.receive(message(VD_AGENT.CLIPBOARD_GRAB, u32s(0, 2)))
    agent.receive(message(VD_AGENT.CLIPBOARD_REQUEST, u32s(0, 1)))
    assert.deepEqual(took(), ['4 0000000000000000'])
  })

  test('an old one without selections, and one whose lines end with CR LF', () => {
    const { agent, took } = setUp()
    agent.opened(true)
    agent.receive(announce(false, CLIPBOARD_BY_DEMAND, GUEST_LINEEND_CRLF))
    agent.offer('a\nb')
    assert.deepEqual(took().slice(1), ['7 01000000'])
    agent.receive(message(VD_AGENT.CLIPBOARD_REQUEST, u32s(1)))
    assert.deepEqual(took(), [`4 01000000${hex('a\r\nb')}`])
  })

  test('messages in any pieces, of two ports at once', () => {
    const { agent, news } = setUp()
    agent.opened(true)
    agent.receive(announce(false, CLIPBOARD_BY_DEMAND))
    const text = Buffer.concat([u32s(1), Buffer.from('x'.repeat(5000))])
    const client = message(VD_AGENT.CLIPBOARD, text, 7)
    const server = message(VD_AGENT.CLIPBOARD, text, 7, VDP.SERVER_PORT)
    // Chunks of 7 bytes, one of each port in turn, handed over byte by byte.
    const both: Uint8Array[] = []
    for (let at = 0; at < client.length; at += 15)
      both.push(client.subarray(at, at + 15), server.subarray(at, at + 15))
    for (const byte of Buffer.concat(both)) agent.receive(Uint8Array.of(byte))
    assert.deepEqual(news, ['there', ...Array(2).fill(`copied ${'x'.repeat(5000)}`)])
  })

  test('what is too long is passed over, and the next message is heard', () => {
    const { agent, news, took } = setUp()
    agent.opened(true)
    agent.receive(announce(false, CLIPBOARD_BY_DEMAND))
    news.length = 0
    agent.receive(
      message(VD_AGENT.CLIPBOARD, Buffer.concat([u32s(1), Buffer.alloc(MAX_CLIPBOARD_BYTES + 100, 'x')])),
    )
    agent.receive(message(VD_AGENT.CLIPBOARD, Buffer.concat([u32s(1), Buffer.from('short\0')])))
    agent.receive(message(4711, u32s(1, 2, 3)))
    agent.receive(message(VD_AGENT.CLIPBOARD, new Uint8Array(3)))
    assert.deepEqual(news, ['copied short'])
    took()
    agent.offer('x'.repeat(MAX_CLIPBOARD_BYTES + 1))
    assert.deepEqual(took(), [])
  })

  test('what is no message: deaf until another program opens the port, one line in the log', () => {
    const { agent, news } = setUp()
    for (const junk of [u32s(3, 8, 0, 0), u32s(1, 20, 2, 6, 0, 0, 0)]) {
      agent.opened(true)
      agent.receive(announce(false, CLIPBOARD_BY_DEMAND))
      agent.receive(junk)
      agent.receive(message(VD_AGENT.CLIPBOARD, Buffer.concat([u32s(1), Buffer.from('unheard')])))
      agent.opened(false)
    }
    assert.equal(news.filter((line) => line.startsWith('fault')).length, 1)
    assert.equal(news.filter((line) => line.startsWith('copied')).length, 0)
    agent.opened(true)
    agent.receive(announce(false, CLIPBOARD_BY_DEMAND))
    agent.receive(message(VD_AGENT.CLIPBOARD, Buffer.concat([u32s(1), Buffer.from('heard')])))
    assert.equal(news.at(-1), 'copied heard')
  })

  test('a guest that asks and does not read gets no answers without end', () => {
    const { agent, line, sent } = setUp()
    agent.opened(true)
    agent.receive(announce(false, CLIPBOARD_BY_DEMAND))
    agent.offer('x'.repeat(MAX_CLIPBOARD_BYTES))
    line.full = true
    for (let i = 0; i < 100; i++) agent.receive(message(VD_AGENT.CLIPBOARD_REQUEST, u32s(1)))
    line.full = false
    sent.length = 0
    agent.flush()
    const bytes = sent.reduce((sum, chunk) => sum + chunk.length, 0)
    assert.ok(bytes > MAX_CLIPBOARD_BYTES && bytes < 2.2 * MAX_CLIPBOARD_BYTES, `${bytes}`)
  })
})
