/** Who talks to the process over a socket: viewers of the display, and whoever holds the control socket. */
import { parseRequest, parseSnapshotParams } from '../../control/messages.ts'
import { ByteReader } from '../../rfb/byte-reader.ts'
import { parseClientMessage, RfbProtocolError } from '../../rfb/client-messages.ts'
import { LineSplitter } from '../../sys/line-splitter.ts'
import { MAX_CLIPBOARD_BYTES } from '../../vdagent/protocol.ts'
import { u32s } from '../../vdagent/testing/guest-agent.ts'
import { VdAgent } from '../../vdagent/vdagent.ts'
import { ByteSource, EDGES } from '../byte-source.ts'
import type { FuzzTarget } from '../target.ts'

const rfb: FuzzTarget = {
  name: 'rfb',
  about: "a display viewer's messages, in pieces of any size",
  runsInTest: 2000,
  run(input) {
    const source = new ByteSource(input)
    const reader = new ByteReader()
    try {
      while (!source.done) {
        const type = source.pick([0, 2, 3, 4, 5, 6, 150, 248, 251, 255, source.u8()])
        const edge = source.pick(EDGES)
        const body = source.take(source.below(96))
        if (body.length >= 8 && source.oneIn(3)) new DataView(body.buffer).setUint32(source.below(4), edge)
        for (const piece of [Uint8Array.of(type), body]) {
          reader.append(piece)
          for (let message = parseClientMessage(reader); message !== null; )
            message = parseClientMessage(reader)
        }
        if (reader.available > 2 << 20) throw new Error(`${reader.available} bytes are kept for one message`)
      }
    } catch (error) {
      if (!(error instanceof RfbProtocolError)) throw error
    }
  },
}

const control: FuzzTarget = {
  name: 'control',
  about: 'lines on the control socket',
  seeds: [
    '{"id":1,"method":"status"}\n',
    '{"id":2,"method":"snapshot","params":{"folder":"/a","after":"quit"}}\n',
  ].map((line) => new Uint8Array(Buffer.from(line))),
  runsInTest: 2000,
  run(input) {
    for (const line of new LineSplitter(1024).push(input) ?? []) {
      const parsed = parseRequest(line)
      if (!parsed.ok || parsed.request.method !== 'snapshot') continue
      try {
        const { folder } = parseSnapshotParams(parsed.request.params)
        if (folder !== undefined && !folder.startsWith('/')) throw new TypeError(`it takes ${folder}`)
      } catch (error) {
        if (error instanceof TypeError) throw error
      }
    }
  },
}

const vdagent: FuzzTarget = {
  name: 'vdagent',
  about: "the guest's clipboard agent: chunks and messages of any size, answers nobody reads",
  runsInTest: 2000,
  run(input) {
    const source = new ByteSource(input)
    let sent = 0
    let room = 0
    const agent = new VdAgent({
      send: (bytes) => {
        if (room < bytes.length) return false
        room -= bytes.length
        sent += bytes.length
        return true
      },
      copied: (text) => {
        if (text.length > MAX_CLIPBOARD_BYTES + 64) throw new Error(`${text.length} characters were taken`)
      },
      available: () => {},
      fault: () => {},
    })
    agent.opened(true)
    while (!source.done) {
      room = source.pick([0, 100, 10_000])
      const data = source.take(source.below(64))
      const type = source.pick([4, 6, 7, 8, 9, source.u8()])
      const what = source.below(16)
      if (what < 2) agent.opened(what === 1)
      else if (what < 4) agent.offer('x'.repeat(source.u16() * 20))
      else if (what < 6) agent.receive(data)
      else {
        const size = source.oneIn(4) ? source.pick(EDGES) >>> 0 : data.length
        agent.receive(
          u32s(source.oneIn(16) ? source.u8() : 1, 20 + data.length, source.oneIn(16) ? 2 : 1, type),
        )
        agent.receive(u32s(0, 0, size))
        agent.receive(data)
      }
      agent.flush()
    }
    const answered = sent
    room = Number.POSITIVE_INFINITY
    agent.flush()
    if (sent - answered > 3 * MAX_CLIPBOARD_BYTES) throw new Error(`${sent - answered} bytes waited`)
  },
}

export const peerTargets: readonly FuzzTarget[] = [rfb, control, vdagent]
