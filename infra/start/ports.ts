import { listenOnce } from '../lib/free-port.ts'
import { Trouble } from '../lib/steps.ts'

/** Finds out now, before anything is built, whether the portal will be able to listen. */
export async function checkPort(address: string, port: number): Promise<void> {
  try {
    await listenOnce(address, port)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EADDRINUSE') {
      throw new Trouble(
        `Port ${port} on ${address} is taken, by a Hearth that runs already or by another program. Choose another: npm start -- --port ${port === 65535 ? 8080 : port + 1}`,
      )
    }
    if (code === 'EACCES') {
      throw new Trouble(
        `Port ${port} needs root. Run as root, or choose a port above 1023: npm start -- --port 8080`,
      )
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
      throw new Trouble(
        `${address} is not an address of this machine. "ip address" lists those it has; 0.0.0.0 means all of them.`,
      )
    }
    throw error
  }
}
