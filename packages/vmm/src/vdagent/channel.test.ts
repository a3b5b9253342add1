/** The agent port from a guest's driver through shared memory to the protocol, and back. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConsoleDevice } from '../virtio/console/console.ts'
import { CONTROL_RX, CONTROL_TX, EVENT, rxQueue, txQueue } from '../virtio/console/protocol.ts'
import { TestMachine } from '../virtio/testing/machine.ts'
import { PciDriver } from '../virtio/testing/pci-driver.ts'
import { AgentLink } from './agent-link.ts'
import { AgentPort } from './agent-port.ts'
import { AgentChannel, createAgentMemory } from './channel.ts'
import { VD_AGENT, VD_AGENT_CAP, VDAGENT_PORT } from './protocol.ts'
import { announce, message, messagesOf, u32s } from './testing/guest-agent.ts'

const BUFFER = 0x1_0000

async function setUp() {
  const memory = createAgentMemory()
  const machine = new TestMachine()
  const port = new AgentPort(new AgentChannel(memory))
  const device = new ConsoleDevice([{ name: VDAGENT_PORT, end: port }])
  const driver = new PciDriver(machine, device)
  driver.start(driver.offered())
  const news: string[] = []
  // As the eventfd does, later and on the other thread.
  const link = new AgentLink(new AgentChannel(memory), () => setImmediate(() => port.woken()), {
    copied: (text) => news.push(`copied ${text.length} ${text.slice(0, 10)}`),
    available: (on) => news.push(on ? 'there' : 'gone'),
    fault: (text) => news.push(text),
  })
  const at = (i: number): number => driver.data + i * BUFFER
  for (let i = 0; i < 4; i++)
    driver.queues[CONTROL_RX]!.add([{ address: at(0) + 64 * i, length: 64, writable: true }])
  let received = Buffer.alloc(0)
  const buffers = new Map<number, number>()
  const fill = (): void => {
    for (let i = 0; i < 4; i++)
      buffers.set(
        driver.queues[rxQueue(1)]!.add([{ address: at(2) + 3000 * i, length: 3000, writable: true }]),
        at(2) + 3000 * i,
      )
    driver.kick(rxQueue(1))
  }
  const turn = async (): Promise<void> => {
    machine.loop.runOnce(0)
    await new Promise((resolve) => setImmediate(resolve))
    for (const { id, length } of driver.queues[rxQueue(1)]!.takeUsed()) {
      const address = buffers.get(id)!
      received = Buffer.concat([received, machine.memory.bytes(address, length)])
      buffers.set(driver.queues[rxQueue(1)]!.add([{ address, length: 3000, writable: true }]), address)
      driver.kick(rxQueue(1))
    }
    driver.queues[txQueue(1)]!.takeUsed()
  }
  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 20_000; i++) {
      if (condition()) return
      await turn()
    }
    throw new Error(`in vain; ${news}`)
  }
  const control = (event: number, value: number): void => {
    machine.memory.writeU32(at(1), 1)
    machine.memory.writeU16(at(1) + 4, event)
    machine.memory.writeU16(at(1) + 6, value)
    driver.queues[CONTROL_TX]!.add([{ address: at(1), length: 8 }])
    driver.kick(CONTROL_TX)
  }
  return {
    news,
    link,
    until,
    /** A program of the guest opens the port or closes it. */
    async open(on: boolean) {
      const before = driver.queues[CONTROL_TX]!.usedIndex
      control(EVENT.PORT_OPEN, on ? 1 : 0)
      await until(() => driver.queues[CONTROL_TX]!.usedIndex !== before)
    },
    async write(bytes: Uint8Array) {
      for (let from = 0; from < bytes.length; from += BUFFER) {
        const piece = bytes.subarray(from, from + BUFFER)
        machine.memory.write(at(4), piece)
        const before = driver.queues[txQueue(1)]!.usedIndex
        driver.queues[txQueue(1)]!.add([{ address: at(4), length: piece.length }])
        driver.kick(txQueue(1))
        await until(() => driver.queues[txQueue(1)]!.usedIndex !== before)
      }
    },
    fill,
    read: (): [number, Buffer][] => messagesOf(received.subarray(0)),
    forget: () => {
      received = Buffer.alloc(0)
    },
    receivedBytes: () => received.length,
    close() {
      link.close()
      driver.bus.close()
      machine.close()
    },
  }
}

const greeting = announce(true, VD_AGENT_CAP.CLIPBOARD_BY_DEMAND, VD_AGENT_CAP.CLIPBOARD_SELECTION)

describe('the agent’s port', () => {
  test('carries texts of the largest size both ways, however slowly the guest takes them', async () => {
    const vm = await setUp()
    await vm.open(true)
    vm.fill()
    await vm.write(greeting)
    await vm.until(() => vm.news.includes('there'))
    const text = 'ä'.repeat(500_000)
    await vm.write(message(VD_AGENT.CLIPBOARD, Buffer.concat([u32s(0, 1), Buffer.from(text)])))
    await vm.until(() => vm.news.includes('copied 500000 ääääääääää'))
    vm.link.agent.offer(text)
    await vm.until(() => vm.receivedBytes() === 36 + 36 + 36)
    vm.forget()
    await vm.write(message(VD_AGENT.CLIPBOARD_REQUEST, u32s(0, 1)))
    const whole = 1_000_000 + 8 + 20
    await vm.until(() => vm.receivedBytes() === whole + 8 * Math.ceil(whole / 2048))
    const [[type, data]] = vm.read() as [[number, Buffer]]
    assert.equal(type, VD_AGENT.CLIPBOARD)
    assert.equal(data.subarray(8).toString(), text)
    vm.close()
  })

  test('a new program of the guest hears nothing meant for the old one, and is not taken for it', async () => {
    const vm = await setUp()
    await vm.open(true)
    await vm.write(greeting)
    await vm.until(() => vm.news.includes('there'))
    // Half a message, and answers that nobody took.
    await vm.write(message(VD_AGENT.CLIPBOARD, Buffer.alloc(1000)).subarray(0, 300))
    vm.link.agent.offer('for the old one')
    await vm.open(false)
    await vm.until(() => vm.news.at(-1) === 'gone')
    await vm.open(true)
    vm.fill()
    await vm.write(greeting)
    await vm.until(() => vm.news.at(-1) === 'there')
    // Greeting, answer, and the viewer's text, which is still the clipboard's.
    await vm.until(() => vm.receivedBytes() === 36 + 36 + 36)
    assert.deepEqual(
      vm.read().map(([type]) => type),
      [VD_AGENT.ANNOUNCE_CAPABILITIES, VD_AGENT.ANNOUNCE_CAPABILITIES, VD_AGENT.CLIPBOARD_GRAB],
    )
    vm.close()
  })
})
