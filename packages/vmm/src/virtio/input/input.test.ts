import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layout, layoutNames } from '@hearth/shared/keyboard-layouts'
import { TestMachine } from '../testing/machine.ts'
import { PciDriver } from '../testing/pci-driver.ts'
import type { InputDevice } from './input.ts'
import { Keyboard } from './keyboard.ts'
import { EV, LED } from './protocol.ts'
import { allKeys, keyOfScancode } from './scancodes.ts'
import { Tablet } from './tablet.ts'

/** The driver's side of an input device: asks what it is, gives buffers, reads events as "type/code=value". */
class Driver {
  readonly machine = new TestMachine()
  device: InputDevice
  pci: PciDriver
  private readonly free: number[] = []
  private given = 0

  constructor(device: InputDevice, buffers = 64) {
    this.device = device
    this.pci = new PciDriver(this.machine, device)
    this.pci.start(this.pci.offered())
    this.give(buffers)
  }

  give(buffers: number, bytes = 8): void {
    const queue = this.pci.queues[0]!
    for (let i = 0; i < buffers; i++) {
      const address = this.pci.data + (this.given++ % 1024) * 8
      this.free[queue.add([{ address, length: bytes, writable: true }])] = address
    }
    this.pci.kick(0)
    // The kick arrives through an eventfd: one turn of the loop takes it.
    this.machine.loop.runOnce(100)
  }

  /** Everything that arrives until nothing waits; the buffers are given back. */
  events(giveBack = true): string[] {
    const events = this.take(giveBack)
    while (giveBack && this.device.resting) {
      this.machine.loop.runOnce(100)
      events.push(...this.take(true))
    }
    return events
  }

  /** What arrived by now. */
  take(giveBack: boolean): string[] {
    const used = this.pci.queues[0]!.takeUsed()
    const events = used.map(({ id, length }) => {
      assert.equal(length, 8)
      const at = this.free[id]!
      const { memory } = this.machine
      return `${memory.readU16(at)}/${memory.readU16(at + 2)}=${memory.readU32(at + 4) | 0}`
    })
    if (giveBack && used.length > 0) this.give(used.length)
    return events
  }

  /** The configuration that select and subsel choose. */
  ask(select: number, subsel: number): Buffer {
    const config = this.pci.structure(4).address
    this.machine.mmio.write(config, 1, select)
    this.machine.mmio.write(config + 1, 1, subsel)
    const size = this.pci.configRead(2, 1)
    return Buffer.from(Array.from({ length: size }, (_, i) => this.pci.configRead(8 + i, 1)))
  }

  status(type: number, code: number, value: number): void {
    const { memory } = this.machine
    const at = this.pci.data + 0x8000
    memory.writeU16(at, type)
    memory.writeU16(at + 2, code)
    memory.writeU32(at + 4, value)
    this.pci.queues[1]!.add([{ address: at, length: 8 }])
    this.pci.kick(1)
    this.machine.until('the status event', () => this.pci.queues[1]!.takeUsed().length > 0)
  }

  close(): void {
    this.pci.bus.close()
    this.machine.close()
  }
}

test('the keyboard says what it is, and nothing where there is nothing', () => {
  const driver = new Driver(new Keyboard('us', () => {}).device)
  assert.equal(driver.ask(1, 0).toString(), 'Hearth Keyboard')
  assert.equal(driver.ask(3, 0).toString('hex'), '0600270601000100')
  const keys = driver.ask(0x11, EV.KEY)
  for (let key = 0; key < keys.length * 8; key++) {
    assert.equal((keys[key >> 3]! >> (key & 7)) & 1, allKeys.includes(key) ? 1 : 0, `key ${key}`)
  }
  assert.equal(driver.ask(0x11, EV.LED).toString('hex'), '07')
  assert.ok(driver.ask(0x11, EV.REP).length > 0)
  for (const [select, subsel] of [
    [0, 0],
    [1, 1],
    [2, 0],
    [0x10, 0],
    [0x11, EV.ABS],
    [0x12, 0],
    [0x77, 3],
  ] as const) {
    assert.equal(driver.ask(select, subsel).length, 0, `${select}/${subsel}`)
  }
  driver.close()
})

test('the tablet has two axes, five buttons and two wheels', () => {
  const driver = new Driver(new Tablet().device)
  assert.equal(driver.ask(1, 0).toString(), 'Hearth Tablet')
  assert.equal(driver.ask(0x11, EV.ABS).toString('hex'), '03')
  assert.equal(driver.ask(0x11, EV.REL).toString('hex'), '4001')
  assert.equal(driver.ask(0x11, EV.KEY).subarray(34).toString('hex'), '1f')
  assert.equal(driver.ask(0x12, 1).toString('hex'), '00000000ff7f0000000000000000000000000000')
  assert.equal(driver.ask(0x12, 2).length, 0)
  driver.close()
})

test('scancodes: plain, with E0, and such that no key has', () => {
  assert.equal(keyOfScancode(0x1e), 30, 'KEY_A')
  assert.equal(keyOfScancode(0x57), 87, 'KEY_F11')
  assert.equal(keyOfScancode(0x9d), 97, 'E0 1D is KEY_RIGHTCTRL')
  assert.equal(keyOfScancode(0xd3), 111, 'E0 53 is KEY_DELETE')
  assert.equal(keyOfScancode(0), 0)
  assert.equal(keyOfScancode(0xff), 0)
})

test('a key goes down and up, each in a group of its own; a repeat says nothing', () => {
  const keyboard = new Keyboard('us', () => {})
  const driver = new Driver(keyboard.device)
  keyboard.scancode(0x1e, true)
  keyboard.scancode(0x1e, true)
  keyboard.scancode(0x1e, false)
  keyboard.scancode(0xff, true)
  assert.deepEqual(driver.events(), ['1/30=1', '0/0=0', '1/30=0', '0/0=0'])
  assert.ok(driver.pci.interrupts(0) > 0)
  driver.close()
})

test('the pointer: position before button, only what changed', () => {
  const tablet = new Tablet()
  const driver = new Driver(tablet.device)
  driver.events()
  tablet.move(100, 200, 0)
  tablet.move(100, 300, 1)
  tablet.move(100, 300, 1)
  tablet.move(99_999, -5, 4)
  tablet.wheel(-1, 1)
  assert.deepEqual(driver.events(), [
    ...['3/0=100', '3/1=200', '0/0=0'],
    ...['3/1=300', '1/272=1', '0/0=0'],
    ...['3/0=32767', '3/1=0', '1/272=0', '1/273=1', '0/0=0'],
    ...['2/8=-1', '2/6=1', '0/0=0'],
  ])
  driver.close()
})

test('a group that has no room waits whole', () => {
  const tablet = new Tablet()
  const driver = new Driver(tablet.device, 3)
  assert.deepEqual(driver.events(), [], 'nobody pointed anywhere yet')
  // Three events fill all buffers.
  tablet.move(1, 2, 0)
  assert.deepEqual(driver.events(false), ['3/0=1', '3/1=2', '0/0=0'])
  driver.give(2)
  tablet.move(5, 6, 0)
  assert.deepEqual(driver.events(false), [], 'three events in two buffers: none')
  driver.give(1)
  assert.deepEqual(driver.events(), ['3/0=5', '3/1=6', '0/0=0'])
  driver.close()
})

test('groups are dropped when the driver sleeps, and no key stays down for that', () => {
  const keyboard = new Keyboard('us', () => {})
  keyboard.device.maxWaiting = 400
  const driver = new Driver(keyboard.device, 0)
  keyboard.scancode(0x2a, true)
  for (let i = 0; i < 300; i++) {
    keyboard.scancode(0x1e, true)
    keyboard.scancode(0x1e, false)
  }
  keyboard.scancode(0x2a, false)
  keyboard.scancode(0x30, true)
  assert.ok(keyboard.device.counters.droppedGroups > 0)
  const down = new Set<string>()
  driver.give(64)
  for (let events = driver.events(); events.length > 0; events = driver.events()) {
    for (const event of events) {
      const [key, value] = event.split('=') as [string, string]
      if (key === '0/0') continue
      if (value === '1') down.add(key)
      else down.delete(key)
    }
  }
  assert.deepEqual([...down], ['1/48'], 'only what is held is held')
  driver.close()
})

test('typed text never fills what Linux keeps for a reader: the keyboard waits for the driver, and a moment more', () => {
  const keyboard = new Keyboard('us', () => {})
  const driver = new Driver(keyboard.device)
  for (let i = 0; i < 40; i++) for (const down of [true, false]) keyboard.scancode(0x1e, down)
  const all = driver.take(false)
  assert.ok(all.length <= 32, `${all.length} at once`)
  // Nobody took them: however long it takes, nothing follows.
  for (let i = 0; i < 8; i++) driver.machine.loop.runOnce(16)
  assert.deepEqual(driver.take(false), [])
  driver.give(all.length)
  while (keyboard.device.resting) {
    driver.machine.loop.runOnce(100)
    const burst = driver.take(true)
    assert.ok(burst.length <= 32, `${burst.length} at once`)
    all.push(...burst)
  }
  assert.equal(all.length, 40 * 4)
  // A hand is never as quick: what it does arrives at once.
  driver.machine.loop.runOnce(50)
  keyboard.scancode(0x1e, true)
  assert.equal(driver.take(true).length, 2)
  driver.close()
})

test('a guest that is slow to read gets no more than Linux keeps for it, however long it takes and however it is typed', () => {
  let idle = 0
  // What KVM tells of the vCPUs: here the guest is idle when the test says so.
  const idleSince = () => {
    const from = idle
    return () => idle > from
  }
  const keyboard = new Keyboard('us', () => {}, undefined, idleSince)
  const driver = new Driver(keyboard.device)
  const all: string[] = []
  // As the console page types: eight keys, a pause, and on. The driver takes them at once, nobody reads what it has.
  for (let i = 0; i < 10; i++) {
    for (let key = 0; key < 8; key++) for (const down of [true, false]) keyboard.scancode(0x1e, down)
    driver.machine.loop.runOnce(30)
    all.push(...driver.take(true))
  }
  assert.ok(all.length <= 32, `${all.length} events nobody has read`)
  for (let bursts = 1; keyboard.device.resting; bursts++) {
    assert.ok(bursts < 20)
    // Begins to look, then learns that the guest was idle.
    driver.machine.loop.runOnce(100)
    idle++
    let burst: string[] = []
    while (burst.length === 0) {
      driver.machine.loop.runOnce(200)
      burst = driver.take(true)
    }
    assert.ok(burst.length <= 32, `${burst.length} at once`)
    all.push(...burst)
  }
  assert.equal(all.length, 10 * 8 * 4)

  // With Shift around each: a burst never ends with a key down.
  for (let i = 0; i < 20; i++) {
    for (const code of [0x2a, 0x1e]) keyboard.scancode(code, true)
    for (const code of [0x1e, 0x2a]) keyboard.scancode(code, false)
  }
  let events = 0
  for (idle++; events < 20 * 8; idle++) {
    driver.machine.loop.runOnce(200)
    const burst = driver.take(true)
    events += burst.length
    assert.ok(burst.length <= 40, `${burst.length} at once`)
    assert.equal(burst.filter((event) => event.endsWith('=1')).length * 4, burst.length, burst.join(' '))
  }
  // Who holds one for long gets the others all the same, and never more than Linux keeps.
  keyboard.scancode(0x2a, true)
  for (let i = 0; i < 40; i++) for (const down of [true, false]) keyboard.scancode(0x1e, down)
  for (let heard = 0; heard < 2 + 40 * 4; idle++) {
    driver.machine.loop.runOnce(200)
    const burst = driver.take(true)
    assert.ok(burst.length < 64, `${burst.length} at once`)
    heard += burst.length
  }
  driver.close()
})

test('a driver that comes later learns of the keys that are held', () => {
  const keyboard = new Keyboard('us', () => {})
  keyboard.scancode(0x1d, true)
  const driver = new Driver(keyboard.device)
  assert.deepEqual(driver.events(), ['1/29=1', '0/0=0'])
  driver.close()
})

test('before the driver is there keys go to the early keyboard, then to the device, and none to both', () => {
  const early: string[] = []
  const leds: number[] = []
  const other = {
    key: (key: number, down: boolean): boolean => early.push(`${key}=${down ? 1 : 0}`) > 0,
    ledsChanged: (_: number): void => {},
  }
  const keyboard = new Keyboard('us', (now) => leds.push(now), other)
  keyboard.scancode(0x1e, true)
  keyboard.scancode(0x1e, false)
  keyboard.keysym('A'.charCodeAt(0), true)
  keyboard.keysym('A'.charCodeAt(0), false)
  assert.deepEqual(early.splice(0), ['30=1', '30=0', '42=1', '30=1', '42=0', '30=0'])
  other.ledsChanged(2)
  keyboard.scancode(0x1c, true)
  const driver = new Driver(keyboard.device)
  // Held meanwhile: let go there, pressed here.
  assert.deepEqual(early.splice(0), ['28=1', '28=0'])
  assert.deepEqual(driver.events(), ['1/28=1', '0/0=0'])
  keyboard.scancode(0x1c, false)
  assert.deepEqual(driver.events(), ['1/28=0', '0/0=0'])
  other.ledsChanged(7)
  assert.deepEqual([early, leds], [[], [2]])
  // The guest starts over.
  driver.pci.status = 0
  keyboard.scancode(0x1e, true)
  assert.deepEqual(early, ['30=1'])
  driver.close()
})

test('LEDs come back', () => {
  const leds: number[] = []
  const keyboard = new Keyboard('us', (value) => leds.push(value))
  const driver = new Driver(keyboard.device)
  driver.status(EV.LED, LED.CAPSL, 1)
  driver.status(EV.LED, LED.NUML, 1)
  driver.status(EV.LED, LED.CAPSL, 0)
  driver.status(EV.LED, 9, 1)
  driver.status(EV.SYN, 0, 0)
  assert.deepEqual(leds, [2, 3, 1])
  driver.close()
})

test('an event buffer of the wrong size breaks the device only', () => {
  const keyboard = new Keyboard('us', () => {})
  const driver = new Driver(keyboard.device, 0)
  driver.give(4, 7)
  keyboard.scancode(0x1e, true)
  assert.equal(driver.pci.status & 64, 64)
  driver.close()
})

/** Types with keysyms as a phone does and reads what the guest's layout makes of the keys. */
function typed(name: (typeof layoutNames)[number], text: string): string {
  const keyboard = new Keyboard(name, () => {})
  const driver = new Driver(keyboard.device)
  const levels = new Map([...layout(name)].map(([c, k]) => [`${k.key}/${k.shift}/${k.altGr}`, c]))
  let shift = false
  let altGr = false
  let result = ''
  for (const character of text) {
    const code = character.codePointAt(0)!
    const keysym = code < 0x100 ? code : 0x0100_0000 + code
    keyboard.keysym(keysym, true)
    keyboard.keysym(keysym, false)
    for (const event of driver.events()) {
      const [, key, value] = /^1\/(\d+)=([01])$/.exec(event) ?? []
      if (key === '42') shift = value === '1'
      else if (key === '100') altGr = value === '1'
      else if (value === '1') result += levels.get(`${key}/${shift}/${altGr}`) ?? '?'
    }
  }
  assert.deepEqual([shift, altGr], [false, false])
  driver.close()
  return result
}

test('keysyms are typed through the layout, its modifiers pressed and let go', () => {
  assert.equal(typed('us', 'Hello, World! {~}'), 'Hello, World! {~}')
  assert.equal(typed('de', 'Grüße: 3€ @home {y}'), 'Grüße: 3€ @home {y}')
  assert.equal(
    typed('fr', 'Ça? Où: été @ #1'),
    'a? Où: été @ #1',
    'what the layout has no key for is left out',
  )
  assert.equal(typed('gb', '£5 "x" @'), '£5 "x" @')
})

test('every layout types all of ASCII', () => {
  for (const name of layoutNames) {
    for (let code = 0x20; code < 0x7f; code++) {
      const character = String.fromCharCode(code)
      // On French and German keyboards these are dead keys.
      if ((name === 'de' && '^`'.includes(character)) || (name === 'fr' && '^`~'.includes(character)))
        continue
      assert.ok(layout(name).has(character), `${name}: ${character}`)
    }
  }
})

test('a held Shift of the viewer is lifted for a character without, and pressed again', () => {
  const keyboard = new Keyboard('de', () => {})
  const driver = new Driver(keyboard.device)
  keyboard.keysym(0xffe1, true)
  keyboard.keysym(0x40, true)
  keyboard.keysym(0x40, false)
  keyboard.keysym(0xffe1, false)
  assert.deepEqual(
    driver.events().filter((event) => event !== '0/0=0'),
    ['1/42=1', '1/42=0', '1/100=1', '1/16=1', '1/100=0', '1/42=1', '1/16=0', '1/42=0'],
  )
  driver.close()
})

test('saved and restored: what waited arrives, held keys are let go, LEDs and the pointer stay', () => {
  const keyboard = new Keyboard('us', () => {})
  const driver = new Driver(keyboard.device, 2)
  keyboard.scancode(0x2a, true)
  assert.deepEqual(driver.events(false), ['1/42=1', '0/0=0'])
  keyboard.scancode(0x1e, true)
  driver.status(EV.LED, LED.CAPSL, 1)
  driver.ask(1, 0)
  const leds: number[] = []
  const other = new Keyboard('us', (now) => leds.push(now))
  driver.pci = driver.pci.moveTo(other.device)
  assert.deepEqual(leds, [1 << LED.CAPSL])
  assert.equal(driver.pci.configRead(2, 1), 'Hearth Keyboard'.length, 'what the driver asked last')
  driver.give(6)
  assert.deepEqual(driver.events(), ['1/30=1', '0/0=0', '1/42=0', '0/0=0', '1/30=0', '0/0=0'])
  other.scancode(0x1e, true)
  assert.deepEqual(driver.events(), ['1/30=1', '0/0=0'])
  driver.close()

  const tablet = new Tablet()
  const pointing = new Driver(tablet.device)
  tablet.move(100, 200, 1)
  pointing.events()
  const moved = new Tablet()
  pointing.pci = pointing.pci.moveTo(moved.device)
  assert.deepEqual(pointing.events(), ['1/272=0', '0/0=0'])
  moved.move(100, 300, 0)
  assert.deepEqual(pointing.events(), ['3/1=300', '0/0=0'])
  pointing.close()
})
