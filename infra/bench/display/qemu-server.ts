/**
 * QEMU's VNC server without a guest: `-accel qtest` runs no instruction, and a ramfb shows guest memory that lies in a
 * shared file, so painting is a write to that file. ramfb knows no damage: QEMU compares the whole picture at each of
 * its refreshes, which is a memory comparison of 8 MB and is counted.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import path from 'node:path'
import type { Qemu } from '../../lab/qemu.ts'
import { HEIGHT, type Rect, WIDTH } from './scenes.ts'

const MEMORY = 64 * 1024 * 1024
const PICTURE = 16 * 1024 * 1024
const SCRATCH = 0x10_0000
/** QEMU's fw_cfg: the DMA address register, big-endian, and what it is told. */
const FW_CFG_DMA = 0x514
const FW_CFG_FILE_DIR = 0x19
const DMA = { ERROR: 1, READ: 2, SELECT: 8, WRITE: 16 } as const
/** DRM_FORMAT_XRGB8888. */
const XR24 = 0x3432_5258

export interface ScreenServer {
  readonly name: string
  readonly socketPath: string
  /** The processes's threads that are counted: all of them. */
  readonly pid: number
  show(pixels: Uint32Array, rects: readonly Rect[]): void
  stop(): Promise<void>
}

async function appears(socketPath: string): Promise<Socket> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = await new Promise<Socket | null>((resolve) => {
      const made = connect(socketPath)
      made.once('connect', () => resolve(made))
      made.once('error', () => resolve(null))
    })
    if (socket) return socket
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`nobody listens at ${socketPath}`)
}

/** One command of QEMU's qtest protocol after the other. */
class Qtest {
  private readonly socket: Socket
  private buffered = ''
  private waiting: ((line: string) => void) | null = null

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.buffered += chunk
      for (let end = this.buffered.indexOf('\n'); end >= 0; end = this.buffered.indexOf('\n')) {
        const line = this.buffered.slice(0, end)
        this.buffered = this.buffered.slice(end + 1)
        // Interrupts are told between the answers.
        if (!line.startsWith('IRQ')) this.waiting?.(line)
      }
    })
  }

  async command(text: string): Promise<void> {
    const answer = await new Promise<string>((resolve) => {
      this.waiting = resolve
      this.socket.write(`${text}\n`)
    })
    if (!answer.startsWith('OK')) throw new Error(`${text}: ${answer}`)
  }

  close(): void {
    this.socket.destroy()
  }
}

export async function startQemu(qemu: Qemu, folder: string, lossy: boolean): Promise<ScreenServer> {
  const memory = path.join(folder, 'memory')
  const socketPath = path.join(folder, 'vnc')
  const qtestPath = path.join(folder, 'qtest')
  writeFileSync(memory, '')
  truncateSync(memory, MEMORY)
  const fd = openSync(memory, 'r+')
  const [program, ...first] = qemu.command
  const child: ChildProcess = spawn(
    program,
    [
      ...first,
      ...['-M', 'pc,accel=qtest,memory-backend=ram', '-m', '64M', '-nodefaults', '-device', 'ramfb'],
      ...['-object', `memory-backend-file,id=ram,size=64M,share=on,mem-path=${memory}`],
      ...['-vnc', `unix:${socketPath}${lossy ? ',lossy=on' : ''}`],
      ...['-qtest', `unix:${qtestPath},server=on,wait=off`, '-qtest-log', '/dev/null'],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...qemu.env } },
  )
  const qtest = new Qtest(await appears(qtestPath))
  const dma = async (control: number, length: number, address: number): Promise<void> => {
    const request = Buffer.alloc(16)
    request.writeUInt32BE(control >>> 0, 0)
    request.writeUInt32BE(length, 4)
    request.writeBigUInt64BE(BigInt(address), 8)
    writeSync(fd, request, 0, 16, SCRATCH)
    const swapped = Buffer.alloc(4)
    swapped.writeUInt32BE(SCRATCH)
    await qtest.command(`outl 0x${FW_CFG_DMA.toString(16)} 0x0`)
    await qtest.command(`outl 0x${(FW_CFG_DMA + 4).toString(16)} 0x${swapped.readUInt32LE().toString(16)}`)
    readSync(fd, request, 0, 4, SCRATCH)
    if (request.readUInt32BE() !== 0) throw new Error('fw_cfg refused')
  }
  const select = (key: number): number => (key << 16) | DMA.SELECT
  await dma(select(FW_CFG_FILE_DIR) | DMA.READ, 4096, SCRATCH + 4096)
  const directory = Buffer.alloc(4096)
  readSync(fd, directory, 0, 4096, SCRATCH + 4096)
  const count = directory.readUInt32BE()
  let key: number | undefined
  for (let i = 0; i < count; i++) {
    const name = directory.toString('latin1', 4 + 64 * i + 8, 4 + 64 * (i + 1))
    if (name.startsWith('etc/ramfb\0')) key = directory.readUInt16BE(4 + 64 * i + 4)
  }
  if (key === undefined) throw new Error('this QEMU has no etc/ramfb')
  const configuration = Buffer.alloc(28)
  configuration.writeBigUInt64BE(BigInt(PICTURE), 0)
  for (const [i, value] of [XR24, 0, WIDTH, HEIGHT, WIDTH * 4].entries())
    configuration.writeUInt32BE(value, 8 + 4 * i)
  writeSync(fd, configuration, 0, 28, SCRATCH + 4096)
  await dma(select(key) | DMA.WRITE, 28, SCRATCH + 4096)
  ;(await appears(socketPath)).destroy()
  return {
    name: `QEMU ${qemu.version}`,
    socketPath,
    pid: child.pid!,
    show(pixels, rects) {
      const bytes = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength)
      for (const { x, y, width, height } of rects) {
        if (width === WIDTH) {
          writeSync(fd, bytes, y * WIDTH * 4, width * height * 4, PICTURE + y * WIDTH * 4)
          continue
        }
        for (let row = y; row < y + height; row++) {
          const at = (row * WIDTH + x) * 4
          writeSync(fd, bytes, at, width * 4, PICTURE + at)
        }
      }
    },
    async stop() {
      qtest.close()
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
      closeSync(fd)
    },
  }
}
