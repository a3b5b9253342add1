import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allKeys } from '../virtio/input/scancodes.ts'
import { I8042Command, I8042Data } from './i8042.ts'
import { Ps2Keyboard } from './ps2-keyboard.ts'
import { bytesOfKey, translate } from './ps2-keys.ts'

const KEY = { A: 30, ENTER: 28, UP: 103, PAUSE: 119, F7: 65, RIGHT_CTRL: 97, LEFT_SHIFT: 42 } as const

class Machine {
  resets = 0
  leds = -1
  /** Rising edges of IRQ 1. */
  interrupts = 0
  level = false
  /** What is to happen, when in milliseconds from now. */
  timer: { ms: number; fire: () => void } | undefined
  readonly keyboard = new Ps2Keyboard((ms, fire) => {
    const timer = { ms, fire }
    this.timer = timer
    return {
      remove: () => {
        if (this.timer === timer) this.timer = undefined
      },
    }
  })
  readonly command: I8042Command
  readonly data: I8042Data

  constructor() {
    const events = { powerOff() {}, panic() {}, reset: () => void this.resets++ }
    const line = {
      setLevel: (on: boolean) => {
        if (on && !this.level) this.interrupts++
        this.level = on
      },
    }
    this.command = new I8042Command(events, { keyboard: this.keyboard, line })
    this.data = new I8042Data(this.command)
    this.keyboard.ledsChanged = (leds) => {
      this.leds = leds
    }
  }

  /** Everything that can be read. */
  drain(): number[] {
    const bytes: number[] = []
    while (this.command.read() & 1) bytes.push(this.data.read())
    return bytes
  }

  tell(command: number, ...data: readonly number[]): number[] {
    this.command.write(0, 1, command)
    for (const value of data) this.data.write(0, 1, value)
    return this.drain()
  }

  ask(...bytes: readonly number[]): number[] {
    for (const value of bytes) this.data.write(0, 1, value)
    return this.drain()
  }
}

test('starts as SeaBIOS and Linux start one', () => {
  const machine = new Machine()
  assert.deepEqual(machine.drain(), [])
  assert.equal(machine.command.read() & 0x10, 0x10)
  assert.deepEqual(machine.tell(0xaa), [0x55])
  assert.deepEqual(machine.tell(0xab), [0])
  // No second port: what is written for it comes back as the keyboard's, and its test fails.
  assert.deepEqual(machine.tell(0xd3, 0x5a), [0x5a])
  assert.deepEqual(machine.tell(0xa9), [1])
  assert.deepEqual(machine.tell(0x60, 0x30), [])
  assert.deepEqual(machine.tell(0x20), [0x30])
  assert.deepEqual(machine.ask(0xff), [0xfa, 0xaa])
  assert.deepEqual(machine.ask(0xf5), [0xfa])
  assert.deepEqual(machine.ask(0xf2), [0xfa, 0xab, 0x83])
  assert.deepEqual(machine.ask(0xf0, 2), [0xfa, 0xfa])
  assert.deepEqual(machine.ask(0xf0, 0), [0xfa, 0xfa, 2])
  assert.deepEqual(machine.ask(0xf0, 3), [0xfa, 0xfe])
  assert.deepEqual(machine.ask(0xf3, 0x20), [0xfa, 0xfa])
  assert.deepEqual(machine.ask(0xee), [0xee])
  assert.deepEqual(machine.ask(0x12), [0xfe])
  assert.deepEqual(machine.tell(0x60, 0x41), [])
  assert.deepEqual(machine.ask(0xed, 7), [0xfa, 0xfa])
  assert.equal(machine.leds, 7)
  assert.deepEqual(machine.ask(0xf4), [0xfa])
  assert.equal(machine.resets, 0)
  machine.tell(0xfe)
  assert.equal(machine.resets, 1)
  machine.tell(0xd1, 2)
  assert.equal(machine.resets, 2)
})

test('keys come as set 1 with translation, as set 2 without, an edge for each byte', () => {
  const machine = new Machine()
  machine.tell(0x60, 0x45)
  const type = (...keys: readonly number[]): number[] => {
    for (const key of keys) for (const down of [true, false]) assert.ok(machine.keyboard.key(key, down))
    return machine.drain()
  }
  machine.interrupts = 0
  assert.deepEqual(type(KEY.A), [0x1e, 0x9e])
  assert.equal(machine.interrupts, 2)
  assert.deepEqual(type(KEY.UP), [0xe0, 0x48, 0xe0, 0xc8])
  assert.deepEqual(type(KEY.RIGHT_CTRL), [0xe0, 0x1d, 0xe0, 0x9d])
  assert.deepEqual(type(KEY.F7), [0x41, 0xc1])
  assert.deepEqual(type(KEY.PAUSE), [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5])
  machine.tell(0x60, 0x05)
  assert.deepEqual(type(KEY.A, KEY.UP), [0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75])
  assert.deepEqual(type(KEY.F7), [0x83, 0xf0, 0x83])
  assert.equal(machine.level, false)
})

test('the key pressed last repeats while it is held, as fast as it was told to, and only where somebody reads', () => {
  const machine = new Machine()
  machine.tell(0x60, 0x45)
  const fire = (): number => {
    const { ms, fire } = machine.timer!
    fire()
    return Math.round(ms)
  }
  machine.keyboard.key(KEY.LEFT_SHIFT, true)
  machine.keyboard.key(KEY.A, true)
  assert.deepEqual(machine.drain(), [0x2a, 0x1e])
  assert.equal(fire(), 500)
  assert.deepEqual(machine.drain(), [0x1e])
  assert.deepEqual([fire(), fire()], [92, 92])
  assert.deepEqual(machine.drain(), [0x1e, 0x1e], 'one in the controller and one that waits, no more')
  machine.keyboard.key(KEY.LEFT_SHIFT, false)
  fire()
  assert.deepEqual(machine.drain(), [0xaa, 0x1e])
  machine.keyboard.key(KEY.A, false)
  assert.equal(machine.timer, undefined)
  machine.drain()
  // 250 ms, 30 a second; the other key's release is no end, a reset is.
  machine.ask(0xf3, 0)
  machine.keyboard.key(KEY.A, true)
  const other = new Machine()
  other.keyboard.restore(machine.keyboard.save())
  assert.deepEqual([fire(), fire()], [250, 33])
  machine.ask(0xff)
  assert.equal(machine.timer, undefined)
  other.keyboard.key(KEY.A, true)
  assert.equal(other.timer!.ms, 250)
  other.keyboard.key(KEY.PAUSE, true)
  other.keyboard.key(KEY.A, false)
  assert.equal(other.timer, undefined)
})

test('no two keys send the same, and none sends what is an answer', () => {
  const seen = new Set<string>()
  for (const key of allKeys) {
    const bytes = bytesOfKey(key, true)
    if (bytes.length === 0) continue
    assert.ok(!seen.has(bytes.join()), `key ${key}`)
    seen.add(bytes.join())
    assert.ok(!bytes.some((byte) => byte === 0 || byte >= 0xfa))
    if (key !== KEY.PAUSE) assert.ok(translate(bytes.at(-1)!) < 0x80)
  }
  assert.ok(seen.size > 100)
})

test('typing that nobody reads is bounded, whole keys of it are lost, and starting over forgets it', () => {
  const machine = new Machine()
  machine.tell(0x60, 0x45)
  let taken = 0
  while (machine.keyboard.key(KEY.UP, taken % 2 === 0)) taken++
  assert.ok(taken > 50 && taken < 200)
  const bytes = machine.drain()
  assert.equal(bytes.length, taken * 2)
  assert.ok(bytes.every((byte, i) => (byte === 0xe0) === (i % 2 === 0)))
  machine.keyboard.key(KEY.A, true)
  machine.data.read()
  machine.keyboard.key(KEY.A, false)
  machine.tell(0xad)
  assert.deepEqual(machine.ask(0xf5).at(-1), 0xfa)
  assert.equal(machine.keyboard.key(KEY.A, true), false)
  // A driver that commands and never reads.
  for (let i = 0; i < 10_000; i++) machine.data.write(0, 1, 0xf2)
  assert.ok(machine.drain().length < 1000)
})

test('is saved and restored in the middle of a key and of a command', () => {
  const machine = new Machine()
  machine.tell(0x60, 0x45)
  machine.keyboard.key(KEY.UP, true)
  machine.data.read()
  const other = new Machine()
  other.command.restore(JSON.parse(JSON.stringify(machine.command.save())))
  assert.deepEqual(other.drain(), [0x48])
  machine.drain()
  machine.data.write(0, 1, 0xed)
  other.command.restore(JSON.parse(JSON.stringify(machine.command.save())))
  other.drain()
  assert.deepEqual(other.ask(2), [0xfa])
  assert.equal(other.leds, 1)
})

test('without a display there is a reset line and nothing else', () => {
  let resets = 0
  const command = new I8042Command({ powerOff() {}, panic() {}, reset: () => void resets++ })
  const data = new I8042Data(command)
  for (const value of [0xaa, 0x20, 0x60]) command.write(0, 1, value)
  data.write(0, 1, 0xff)
  assert.deepEqual([command.read(), data.read()], [0, 0])
  command.write(0, 1, 0xfe)
  assert.equal(resets, 1)
  assert.deepEqual(command.save(), { outputPortNext: false })
})
