import assert from 'node:assert/strict'
import { test } from 'node:test'
import { close, EFD, eventfdCreate, read } from '../sys/libc.ts'
import { Uart } from './uart.ts'

const [DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7] as const
const FCR = IIR

function build(t: { after(fn: () => void): void }) {
  const irqFd = eventfdCreate(0, EFD.NONBLOCK)
  const attentionFd = eventfdCreate(0, EFD.NONBLOCK)
  t.after(() => {
    close(irqFd)
    close(attentionFd)
  })
  const count = (fd: number): number => {
    const value = new BigUint64Array(1)
    return read(fd, value, 8) === 8 ? Number(value[0]) : 0
  }
  const shared = Uart.allocate()
  const handle = { shared, irqFd, attentionFd }
  const output = (uart: Uart): string => {
    const bytes = new Uint8Array(8192)
    return Buffer.from(bytes.subarray(0, uart.takeOutput(bytes))).toString('latin1')
  }
  return {
    // Two vCPUs and the main thread see one port.
    cpu0: new Uart(handle),
    cpu1: new Uart(handle),
    line: new Uart(handle),
    irqs: () => count(irqFd),
    attentions: () => count(attentionFd),
    output,
  }
}

test('what Linux asks to tell a 16550A: scratch, loopback, FIFO bits, divisor latch', (t) => {
  const { cpu0: uart } = build(t)
  uart.writeRegister(SCR, 0x5a)
  assert.equal(uart.readRegister(SCR), 0x5a)
  uart.writeRegister(MCR, 0x1a)
  assert.equal(uart.readRegister(MSR) & 0xf0, 0x90)
  uart.writeRegister(MCR, 0x0b)
  assert.equal(uart.readRegister(MSR) & 0xf0, 0xb0)
  assert.equal(uart.readRegister(IIR), 0x01)
  uart.writeRegister(FCR, 1)
  assert.equal(uart.readRegister(IIR), 0xc1)
  uart.writeRegister(LCR, 0x83)
  uart.writeRegister(DATA, 0x0c)
  uart.writeRegister(IER, 0x01)
  assert.deepEqual([uart.readRegister(DATA), uart.readRegister(IER)], [0x0c, 0x01])
  uart.writeRegister(LCR, 0x03)
  assert.equal(uart.readRegister(IER), 0)
  assert.equal(uart.readRegister(LSR), 0x60)
})

test('output of all CPUs comes out in order; the main thread is woken once until it has looked', (t) => {
  const { cpu0, cpu1, line, attentions, output } = build(t)
  for (const [i, c] of Buffer.from('hello').entries()) (i % 2 ? cpu1 : cpu0).writeRegister(DATA, c)
  assert.equal(attentions(), 1)
  assert.equal(output(line), 'hello')
  cpu0.writeRegister(DATA, 33)
  assert.equal(attentions(), 1)
  assert.equal(output(line), '!')
})

test('transmitter interrupts: once per condition, taken back by reading IIR', (t) => {
  const { cpu0: uart, irqs } = build(t)
  uart.writeRegister(IER, 2)
  assert.equal(irqs(), 1)
  assert.equal(uart.readRegister(IIR) & 0xf, 2)
  assert.equal(uart.readRegister(IIR) & 0xf, 1)
  for (let i = 0; i < 16; i++) uart.writeRegister(DATA, 65)
  assert.equal(irqs(), 1)
  assert.equal(uart.readRegister(IIR) & 0xf, 2)
  uart.writeRegister(DATA, 65)
  assert.equal(irqs(), 1)
  // Linux's test for broken UARTs: enabling again with an empty transmitter interrupts again.
  uart.readRegister(IIR)
  uart.writeRegister(IER, 0)
  uart.writeRegister(IER, 2)
  assert.equal(irqs(), 1)
  assert.equal(uart.readRegister(IIR) & 0xf, 2)
})

test('input interrupts only when asked for, comes before the transmitter, and is read byte by byte', (t) => {
  const { cpu0: uart, line, irqs } = build(t)
  assert.equal(line.offerInput(Buffer.from('ab')), 2)
  assert.equal(irqs(), 0)
  assert.equal(uart.readRegister(LSR), 0x61)
  uart.writeRegister(IER, 3)
  assert.equal(irqs(), 1)
  assert.equal(uart.readRegister(IIR) & 0xf, 4)
  assert.equal(uart.readRegister(DATA), 97)
  line.offerInput(Buffer.from('c'))
  assert.equal(irqs(), 1)
  assert.deepEqual([uart.readRegister(DATA), uart.readRegister(DATA)], [98, 99])
  assert.equal(uart.readRegister(LSR), 0x60)
  assert.equal(uart.readRegister(DATA), 0)
  assert.equal(uart.readRegister(IIR) & 0xf, 2)
})

test('a full receiver takes what fits and asks for the rest when it is half empty', (t) => {
  const { cpu0: uart, line, attentions } = build(t)
  const paste = Buffer.alloc(10_000, 'x')
  assert.equal(line.offerInput(paste), 4096)
  assert.equal(line.offerInput(paste), 0)
  for (let i = 0; i < 2048; i++) uart.readRegister(DATA)
  assert.equal(attentions(), 0)
  uart.readRegister(DATA)
  assert.equal(attentions(), 1)
  uart.readRegister(DATA)
  assert.equal(attentions(), 0)
  assert.equal(line.offerInput(paste), 2050)
})

test('resetting the receive FIFO drops input', (t) => {
  const { cpu0: uart, line } = build(t)
  line.offerInput(Buffer.from('stale'))
  uart.writeRegister(FCR, 3)
  assert.equal(uart.readRegister(LSR), 0x60)
})

test('loopback sends output to the receiver and nowhere else', (t) => {
  const { cpu0: uart, line, output } = build(t)
  uart.writeRegister(MCR, 0x10)
  uart.writeRegister(DATA, 0x42)
  assert.equal(uart.readRegister(DATA), 0x42)
  assert.equal(output(line), '')
})

test('the guest never waits: output that finds the ring full is counted', (t) => {
  const { cpu0: uart, line } = build(t)
  for (let i = 0; i < 256 * 1024 + 5; i++) uart.writeRegister(DATA, 65)
  assert.equal(line.takeDropped(), 5)
  assert.equal(line.takeDropped(), 0)
  assert.equal(line.takeOutput(new Uint8Array(1024 * 1024)), 256 * 1024)
})
