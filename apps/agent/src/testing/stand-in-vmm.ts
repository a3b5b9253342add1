/**
 * A tiny program in hearth-vmm's place, for what the real one does not do on demand: it speaks the control
 * protocol and the serial socket and misbehaves as its kernel command line asks.
 *
 *   ignore-powerdown   the guest does not react to the power button
 *   ignore-quit        neither does the monitor to `quit`: only SIGKILL ends it
 *   fail-start         ends at once with exit code 2
 *   never-runs         answers, but its guest does not begin
 *   fail-snapshot      it cannot write a snapshot
 *   bite               its guest's watchdog runs out after a reset
 *   flood              writes serial output without end
 *   silent-pause       its guest is paused the first time, but it does not say so
 *   writes             its guest writes to its disk without end, and the monitor notes what
 *   ends-when-noted    its guest powers itself off soon after notes began
 *   ends-when-paused   it does so when it is to be paused
 */
import { randomUUID } from 'node:crypto'
import { appendFileSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseSize } from '@hearth/shared/units'

const text = { type: 'string' } as const
const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    kernel: text,
    restore: text,
    'snapshot-slot': text,
    initrd: text,
    cmdline: text,
    memory: text,
    cpus: text,
    serial: text,
    control: text,
    display: text,
    keyboard: text,
    screens: text,
    jail: text,
    'generation-id': text,
    watchdog: text,
    'serial-log': text,
    disk: { type: 'string', multiple: true },
    net: { type: 'string', multiple: true },
    port: { type: 'string', multiple: true },
    share: { type: 'string', multiple: true },
  },
})
const behaviour = new Set((values.cmdline ?? '').split(' '))
/** Tells one run from the next: its pid is the first in a namespace of its own. */
const run = randomUUID()
const bootText = `stand-in ${run} ${values.restore ? `goes on from ${readFileSync(join(values.restore, 'vm.json'))}` : 'booted'} as ${values['generation-id']}\r\n`

if (behaviour.has('fail-start')) {
  process.stderr.write('hearth-vmm: /dev/kvm: not on this host\n')
  process.exit(2)
}

const controls = new Set<Socket>()
let resets = 0
let paused = false
let silent = behaviour.has('silent-pause')
let asked = 0

const status = (state: string) => ({
  state,
  pid: process.pid,
  cpus: Number(values.cpus),
  memoryBytes: parseSize(values.memory ?? '') ?? 0,
  startedAt: Date.now(),
  resets,
  panicked: false,
  serialViewers: 0,
})

function broadcast(event: object): void {
  for (const socket of controls) socket.write(`${JSON.stringify(event)}\n`)
}

function end(code: number, reason: string): void {
  broadcast({ event: 'exit', code, reason })
  setTimeout(() => process.exit(code), 20)
}

/** As far as the bridge goes: introduced viewers, of whom one has control; what they send comes back. */
interface StandInViewer {
  id: string
  name: string
  input: boolean
  control: boolean
}
const viewers = new Map<Socket, StandInViewer>()
const listed = () =>
  [...viewers.values()].map((viewer) => ({ ...viewer, since: 0, updates: 7, bytes: 8, roundTripMs: 9 }))
const tellViewers = () => broadcast({ event: 'viewers', viewers: listed() })

/** As a guest that writes a number to two places, the second after the first: a copy of one moment has it in both. */
const standInGranule = 64 * 1024
const firstPlace = 1024 * 1024
const secondPlace = 150 * 1024 * 1024
let noted: Set<number> | null = null
let written = 0
if (behaviour.has('writes')) {
  const disk = openSync((values.disk?.[0] ?? '').split(',')[0] ?? '', 'r+')
  setInterval(() => {
    if (paused) return
    const number = Buffer.alloc(8)
    number.writeDoubleLE(++written)
    const some = Math.floor(Math.random() * 100) * standInGranule + 2 * firstPlace
    for (const place of [firstPlace, some, secondPlace]) {
      writeSync(disk, number, 0, 8, place)
      noted?.add(place / standInGranule)
    }
  }, 1)
}

function diskChanges(note: string): unknown {
  if (!behaviour.has('writes')) throw new Error('there is no such method')
  if (note === 'begin') noted = new Set()
  if (!noted) throw new Error('it is not noted')
  const bits = Buffer.alloc(4096)
  for (const granule of noted) bits[granule >> 3]! |= 1 << (granule & 7)
  noted = note === 'end' ? null : new Set()
  if (behaviour.has('ends-when-noted')) end(0, 'the guest powered off')
  return { granuleBytes: standInGranule, bits: bits.toString('base64') }
}

function answer(method: string, params: { viewer?: string; take?: boolean; note?: string } = {}): unknown {
  if (method === 'viewers') return listed()
  if (method === 'screenshot') return { width: 2, height: 1, version: 'v1', jpeg: '/9j/2Q==' }
  if (method === 'viewer-control') {
    for (const viewer of viewers.values())
      viewer.control = viewer.id === params.viewer && params.take === true
    tellViewers()
  }
  if (method === 'disk-changes') return diskChanges(params.note ?? '')
  if (method === 'counters')
    return { devices: [{ name: 'block', counters: { reads: ++asked, readBytes: asked * 4096 } }] }
  if (method === 'status')
    return status(behaviour.has('never-runs') ? 'starting' : paused ? 'paused' : 'running')
  if (method === 'pause' && behaviour.has('ends-when-paused')) {
    end(0, 'the guest powered off')
    throw new Error('it ends')
  }
  if (method === 'pause' || method === 'resume') {
    paused = method === 'pause'
    broadcast({ event: 'state', status: status(paused ? 'paused' : 'running') })
  }
  if (method === 'powerdown' && !behaviour.has('ignore-powerdown')) end(0, 'the guest powered off')
  if (method === 'reset') resets++
  if (method === 'reset' && behaviour.has('bite')) broadcast({ event: 'watchdog', action: values.watchdog })
  if (method === 'snapshot') {
    if (behaviour.has('fail-snapshot')) throw new Error('no space left')
    const slot = values['snapshot-slot'] ?? ''
    mkdirSync(slot, { recursive: true })
    writeFileSync(join(slot, 'memory'), 'its memory')
    writeFileSync(join(slot, 'vm.json'), JSON.stringify({ run }))
    end(0, 'switched off (snapshot)')
  }
  if (method === 'quit' && !behaviour.has('ignore-quit')) end(0, 'asked to quit')
  return null
}

listen(values.control, (socket) => {
  controls.add(socket)
  socket.on('close', () => controls.delete(socket))
  let buffer = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    buffer += chunk
    for (let at = buffer.indexOf('\n'); at >= 0; at = buffer.indexOf('\n')) {
      const { id, method, params } = JSON.parse(buffer.slice(0, at)) as {
        id: number
        method: string
        params?: { viewer?: string; take?: boolean; note?: string }
      }
      buffer = buffer.slice(at + 1)
      let reply: object
      try {
        reply = { id, ok: true, result: answer(method, params) }
      } catch (error) {
        reply = { id, ok: false, error: (error as Error).message }
      }
      if (method === 'pause' && silent) silent = false
      else socket.write(`${JSON.stringify(reply)}\n`)
    }
  })
})

if (values['serial-log']) appendFileSync(values['serial-log'], bootText)
listen(values.serial?.replace(/,scrollback-line$/, ''), (socket) => {
  if (values.serial?.endsWith(',scrollback-line'))
    socket.write(`HEARTH ${JSON.stringify({ scrollback: bootText.length })}\n`)
  socket.write(bootText)
  if (behaviour.has('flood')) flood(socket)
  // An echo, so that input is seen to arrive.
  socket.on('data', (chunk: Buffer) => socket.write(chunk))
})

if (values.display)
  listen(values.display, (socket) => {
    socket.once('data', (chunk: Buffer) => {
      const line = chunk.subarray(0, chunk.indexOf(10)).toString()
      viewers.set(socket, {
        ...(JSON.parse(line.replace('HEARTH ', '')) as Omit<StandInViewer, 'control'>),
        control: viewers.size === 0,
      })
      tellViewers()
      socket.write(`RFB 003.008\n${chunk.subarray(line.length + 1).toString()}`)
      socket.on('data', (more: Buffer) => socket.write(more))
    })
    socket.on('close', () => {
      viewers.delete(socket)
      tellViewers()
    })
  })

function flood(socket: Socket): void {
  while (!socket.destroyed && socket.write(Buffer.alloc(16 * 1024, 'x'))) {}
  socket.once('drain', () => flood(socket))
}

function listen(address: string | undefined, onConnection: (socket: Socket) => void): Server {
  const path = (address ?? '').replace(/^unix:/, '')
  rmSync(path, { force: true })
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    onConnection(socket)
  })
  return server.listen(path)
}
