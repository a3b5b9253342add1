/**
 * Real screens without guests: an RFB server of the monitor whose picture is painted here, joined to the fake agent,
 * for looking at the console page and for tests of it in a browser.
 */
import { type Duplex, duplexPair } from 'node:stream'
import type { DisplayNotice } from '@hearth/shared/agent-protocol'
import { viewerIntroductionPrefix } from '@hearth/shared/vmm-control'
import type { WebSocket } from 'ws'
import { createSurfaceMemory, SURFACE_STRIDE, Surface } from '../../packages/vmm/src/display/surface.ts'
import { createJpegEncoder } from '../../packages/vmm/src/rfb/encodings/jpeg.ts'
import { RfbServer } from '../../packages/vmm/src/rfb/server.ts'

export class PaintedScreen {
  readonly surface = new Surface(createSurfaceMemory())
  readonly events: string[] = []
  /** Whether the VM it stands for goes on when viewers are cut off. */
  running = true
  /** Whether each key turns the colour of a corner around, as a guest that echoes it would. */
  flashes = false
  #flash = 0
  /** Whether wishes for a size are left alone, as by a guest that is busy. */
  deaf = false
  readonly server: RfbServer
  readonly #sockets = new Map<string, (notice: DisplayNotice) => void>()
  #recorded = false

  constructor(width: number, height: number) {
    this.surface.resize(width, height)
    this.server = new RfbServer({
      surface: this.surface,
      name: 'painted',
      input: {
        key: (code, down) => {
          this.events.push(`${down ? '+' : '-'}${code.toString(16)}`)
          if (!down || !this.flashes) return
          this.#flash ^= 0xffffff
          this.rect(0, 0, 64, 64, this.#flash)
        },
        keysym: (sym, down) => this.events.push(`${down ? '+' : '-'}sym${sym.toString(16)}`),
        pointer: (x, y, buttons) => this.events.push(`@${x},${y}:${buttons}`),
        wheel: (vertical) => this.events.push(`wheel ${vertical}`),
      },
      jpeg: createJpegEncoder,
      clipboard: (text) => this.events.push(`copied:${text}`),
      resize: (w, h) => {
        if (!this.deaf) this.resize(w, h)
      },
      viewersChanged: () => this.#tell(),
    })
    this.paint()
  }

  resize(width: number, height: number): void {
    this.surface.resize(width, height)
    this.paint()
  }

  /** A desktop, roughly: wallpaper, a bar, a window. */
  paint(): void {
    const { width, height } = this.surface.size() ?? { width: 0, height: 0 }
    const { pixels } = this.surface
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const glow = Math.max(0, 1 - Math.hypot(x / width - 0.5, y / height - 1.1))
        pixels[y * SURFACE_STRIDE + x] =
          (Math.round(28 + 130 * glow) << 16) |
          (Math.round(22 + 60 * glow) << 8) |
          Math.round(34 + 20 * (1 - glow))
      }
    }
    this.rect(0, height - 34, width, 34, 0x1a1512)
    this.rect(10, height - 27, 20, 20, 0xe0762f)
    this.rect(width * 0.18, height * 0.16, width * 0.5, height * 0.55, 0xf6f2ee)
    this.rect(width * 0.18, height * 0.16, width * 0.5, 30, 0x3a302a)
    for (let line = 0; line < 9; line++)
      this.rect(
        width * 0.18 + 20,
        height * 0.16 + 54 + line * 24,
        width * (0.2 + 0.23 * Math.abs(Math.sin(line))),
        9,
        0xb9ada2,
      )
    this.surface.damage(0, 0, width, height)
  }

  rect(x: number, y: number, width: number, height: number, colour: number): void {
    const left = Math.round(x)
    for (let row = Math.round(y); row < Math.round(y + height); row++)
      this.surface.pixels.fill(
        colour,
        row * SURFACE_STRIDE + left,
        row * SURFACE_STRIDE + left + Math.round(width),
      )
    this.surface.damage(left, Math.round(y), Math.round(width), Math.round(height))
  }

  /** The host's end of one viewer, as the agent has it. */
  attach(socket: WebSocket, query: URLSearchParams): void {
    const id = query.get('id') ?? ''
    socket.on('message', (data, isBinary) => {
      if (isBinary) return
      const { type } = JSON.parse(String(data)) as { type: string }
      if (type === 'figures') {
        const me = this.server.introduced().find((viewer) => viewer.id === id)
        if (me) socket.send(JSON.stringify({ ...me, type: 'figures' }))
      } else this.server.setControl(id, type === 'take_control')
    })
    const tell = (notice: DisplayNotice): void => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(notice))
    }
    this.#sockets.set(id, tell)
    if (this.#recorded) tell({ type: 'recorded', on: true })
    const [ours, theirs] = duplexPair()
    socket.on('message', (data, isBinary) => isBinary && theirs.write(data as Buffer))
    theirs.on('data', (chunk: Buffer) => socket.send(chunk))
    ours.once('close', () => socket.close(this.running ? 4408 : 4409))
    socket.once('close', () => theirs.destroy())
    this.server.attach(ours, { id })
    const introduction = { id, name: query.get('name') ?? '', input: query.get('input') === '1' }
    theirs.write(`${viewerIntroductionPrefix}${JSON.stringify(introduction)}\n`)
  }

  /** Another connection to the monitor, as the agent's recorder makes one. */
  connect(): Duplex {
    const [ours, theirs] = duplexPair()
    this.server.attach(ours, { id: 'connected' })
    return theirs
  }

  tellRecorded(on: boolean): void {
    this.#recorded = on
    for (const send of this.#sockets.values()) send({ type: 'recorded', on })
  }

  close(): void {
    this.server.close()
  }

  #tell(): void {
    const viewers = this.server
      .introduced()
      .map(({ id, name, input, control }) => ({ id, name, input, control }))
    for (const [you, send] of this.#sockets) send({ type: 'viewers', you, viewers, clipboard: true })
  }
}
