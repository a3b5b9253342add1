/** Who talks to the process over a socket: viewers of the display, and whoever holds the control socket. */
import { parseRequest, parseSnapshotParams } from '../../control/messages.ts'
import { ByteReader } from '../../rfb/byte-reader.ts'
import { parseClientMessage, RfbProtocolError } from '../../rfb/client-messages.ts'
import { LineSplitter } from '../../sys/line-splitter.ts'
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

export const peerTargets: readonly FuzzTarget[] = [rfb, control]
