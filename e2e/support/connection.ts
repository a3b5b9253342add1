import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Connection {
  /** The portal, by way of this connection. */
  readonly url: string
  /** Breaks when so many bytes more have gone up; resolves when it is broken. Nothing gets through until `mend`. */
  breakAfter(bytes: number): Promise<void>
  mend(): void
  close(): void
}

/** A connection to the portal that can break in the middle of anything, at a byte and not at a time. */
export async function breakableConnection(portalUrl: string): Promise<Connection> {
  const { hostname, port } = new URL(portalUrl)
  const sockets = new Set<Socket>()
  let left = Number.POSITIVE_INFINITY
  let onBroken = () => {}
  const server = createServer((browser) => {
    if (left <= 0) return void browser.destroy()
    const onward = connect(Number(port), hostname)
    for (const [socket, other] of [
      [browser, onward],
      [onward, browser],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
    browser.on('data', (bytes) => {
      left -= bytes.length
      if (left > 0) return
      for (const each of sockets) each.destroy()
      onBroken()
    })
  })
  server.listen(0, hostname)
  await once(server, 'listening')
  return {
    url: `http://${hostname}:${(server.address() as AddressInfo).port}`,
    breakAfter: (bytes) =>
      new Promise((resolve) => {
        left = bytes
        onBroken = resolve
      }),
    mend() {
      left = Number.POSITIVE_INFINITY
    },
    close() {
      server.close()
      for (const each of sockets) each.destroy()
    },
  }
}
