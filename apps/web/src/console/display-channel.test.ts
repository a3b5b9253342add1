import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChannelSocket, DisplayChannel } from './display-channel.ts'

class Socket implements ChannelSocket {
  binaryType = 'blob'
  readonly protocol = ''
  readyState = 1
  onopen: ChannelSocket['onopen'] = null
  onmessage: ChannelSocket['onmessage'] = null
  onerror: ChannelSocket['onerror'] = null
  onclose: ChannelSocket['onclose'] = null
  readonly sent: unknown[] = []
  send(data: unknown): void {
    this.sent.push(data)
  }
  close(code?: number): void {
    this.sent.push(code)
  }
  receive(data: ArrayBuffer | string): void {
    this.onmessage?.({ data } as MessageEvent<ArrayBuffer | string>)
  }
}

test('bytes go to noVNC, notices do not, and what is neither is dropped', () => {
  const socket = new Socket()
  const notices: unknown[] = []
  const codes: number[] = []
  const channel = new DisplayChannel(socket, {
    notice: (notice) => notices.push(notice),
    closed: (code) => codes.push(code),
  })
  const bytes: number[] = []
  channel.onmessage = ({ data }) => bytes.push(...new Uint8Array(data))
  let closings = 0
  channel.onclose = () => closings++
  socket.receive(Uint8Array.of(1, 2).buffer)
  const notice = {
    type: 'viewers',
    you: 'a',
    viewers: [{ id: 'a', name: 'Ada', input: true, control: true }],
  }
  socket.receive(JSON.stringify(notice))
  socket.receive('{"type":"else"}')
  socket.receive('not JSON')
  assert.deepEqual(bytes, [1, 2])
  assert.deepEqual(notices, [notice])
  channel.request({ type: 'take_control' })
  assert.deepEqual(socket.sent, ['{"type":"take_control"}'])
  socket.onclose?.({ code: 4409 } as CloseEvent)
  assert.deepEqual([codes, closings], [[4409], 1])
  socket.readyState = 3
  channel.request({ type: 'figures' })
  assert.equal(socket.sent.length, 1, 'nothing is sent after the end')
})

test('it has what noVNC looks for in a channel', () => {
  const channel = new DisplayChannel(new Socket(), { notice() {}, closed() {} })
  const names = [...Object.keys(channel), ...Object.getOwnPropertyNames(Object.getPrototypeOf(channel))]
  for (const name of 'send close binaryType onerror onmessage onopen protocol readyState'.split(' '))
    assert.ok(names.includes(name), name)
})
