import net from 'node:net'

/** A port on loopback that is free at this moment. */
export function freePort(): Promise<number> {
  return listenOnce('127.0.0.1', 0)
}

/** Listens and closes at once; resolves with the port it got, rejects with why it could not. */
export function listenOnce(address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(port, address, () => {
      const { port: got } = server.address() as net.AddressInfo
      server.close(() => resolve(got))
    })
  })
}
