/**
 * The display thread: RFB for every viewer of one VM. Encoding happens here and nowhere else, so that neither the
 * guest nor its disks and networks wait for a viewer.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { enterThreadJail } from '../jail/thread.ts'
import { createJpegEncoder } from '../rfb/encodings/jpeg.ts'
import { RfbServer } from '../rfb/server.ts'
import { ExitError } from '../sys/exit-error.ts'
import { write } from '../sys/libc.ts'
import { onNodeLoop, tidyRegularly } from '../sys/thrift.ts'
import { listenUnix } from '../sys/unix-listener.ts'
import { AgentLink } from '../vdagent/agent-link.ts'
import { AgentChannel } from '../vdagent/channel.ts'
import type { DisplayCommand, DisplayRequest, DisplayWorkerData, DisplayWorkerMessage } from './handle.ts'
import { INPUT_KIND, InputRing } from './input-ring.ts'
import { Surface } from './surface.ts'

const { handle, path, name, jail } = workerData as DisplayWorkerData
const tell = (message: DisplayWorkerMessage): void => parentPort!.postMessage(message)

const surface = new Surface(handle.surface)
const ring = new InputRing(handle.input)
const ONE = new BigUint64Array([1n])
const wakeDevices = (): void => void write(handle.wakeFd, ONE, 8)
const put = (kind: number, a: number, b: number, c = 0): void => {
  ring.put(kind, a, b, c)
  wakeDevices()
}

const rfb = new RfbServer({
  surface,
  name,
  input: {
    key: (scancode, down) => put(INPUT_KIND.KEY, scancode, down ? 1 : 0),
    keysym: (keysym, down) => put(INPUT_KIND.KEYSYM, keysym | 0, down ? 1 : 0),
    pointer: (x, y, buttons) => put(INPUT_KIND.POINTER, x, y, buttons),
    wheel: (vertical, horizontal) => put(INPUT_KIND.WHEEL, vertical, horizontal),
  },
  jpeg: createJpegEncoder,
  resize: (width, height) => {
    surface.setWish(width, height)
    wakeDevices()
  },
  clipboard: (text) => link.agent.offer(text),
  viewersChanged: () => tellViewers(),
  log: (text) => tell({ kind: 'warning', text }),
})

let clipboard = false
const tellViewers = (): void => tell({ kind: 'viewers', viewers: rfb.introduced(), clipboard })
const link = new AgentLink(new AgentChannel(handle.agent), wakeDevices, {
  copied: (text) => rfb.offerClipboard(text),
  available: (on) => {
    clipboard = on
    tellViewers()
  },
  fault: (text) => tell({ kind: 'warning', text: `display: ${text}` }),
})

function answer(id: number, request: DisplayRequest): DisplayWorkerMessage {
  const done = (found: boolean): DisplayWorkerMessage =>
    found
      ? { kind: 'answer', id, result: null }
      : { kind: 'answer', id, result: null, error: 'there is no such viewer, or it may not type' }
  switch (request.kind) {
    case 'viewers':
      return { kind: 'answer', id, result: rfb.introduced() }
    case 'control':
      return done(rfb.setControl(request.viewer, request.take))
    case 'close-viewer':
      return done(rfb.closeViewer(request.viewer))
    case 'screenshot':
      return { kind: 'answer', id, result: rfb.screenshot(request.maxWidth) }
  }
}

let count = 0
try {
  const server = await listenUnix('display', path, (socket) => {
    rfb.attach(socket, { id: `${++count}` })
  })
  parentPort!.on('message', (command: DisplayCommand) => {
    if (command.kind === 'ask') return tell(answer(command.id, command.request))
    link.close()
    rfb.close()
    server.close(() => {
      tell({ kind: 'closed' })
      parentPort!.close()
    })
  })
  enterThreadJail(jail)
  tidyRegularly(onNodeLoop)
  tell({ kind: 'listening' })
} catch (error) {
  if (!(error instanceof ExitError)) throw error
  tell({ kind: 'refused', exitCode: error.code, text: error.message })
}
