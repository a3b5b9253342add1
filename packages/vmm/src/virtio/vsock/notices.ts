import type { DescriptorChain } from '../chain.ts'
import { encodeHeader, HEADER_BYTES, HOST_CID, OP, TYPE_STREAM } from './protocol.ts'

/** Refusals and answers that wait for the guest to take them: with more, nothing is taken from the guest. */
const MAX_WAITING = 256

/** Both ends of a stream, by which each is found. */
export interface Ports {
  readonly hostPort: number
  readonly guestPort: number
}

export const keyOf = ({ hostPort, guestPort }: Ports): string => `${hostPort}:${guestPort}`

/** A packet without data. */
export interface Notice extends Ports {
  readonly op: number
  readonly flags: number
}

/** Packets without data that wait for the guest to have room. */
export class Notices {
  private readonly waiting: Notice[] = []

  get length(): number {
    return this.waiting.length
  }

  get full(): boolean {
    return this.waiting.length >= MAX_WAITING
  }

  add({ hostPort, guestPort }: Ports, op: number, flags = 0): void {
    // Credit is told with every packet: one that waits is enough.
    const isThere = (notice: Notice): boolean =>
      notice.hostPort === hostPort && notice.guestPort === guestPort
    if (op === OP.CREDIT_UPDATE && this.waiting.some(isThere)) return
    this.waiting.push({ hostPort, guestPort, op, flags })
  }

  take(): Notice | undefined {
    return this.waiting.shift()
  }

  clear(): void {
    this.waiting.length = 0
  }
}

/** Writes the header of a packet with `length` bytes behind it to the chain's writable part. */
export function writeHeader(
  chain: DescriptorChain,
  cid: number,
  { hostPort, guestPort, op, flags }: Notice,
  credit: { readonly bufferSize: number; readonly forwarded: number } | undefined,
  length = 0,
): number {
  chain.write(
    0,
    encodeHeader({
      ...{ sourceCid: HOST_CID, destinationCid: cid, sourcePort: hostPort, destinationPort: guestPort },
      ...{ length, type: TYPE_STREAM, op, flags },
      ...(credit ?? { bufferSize: 0, forwarded: 0 }),
    }),
  )
  return HEADER_BYTES + length
}
