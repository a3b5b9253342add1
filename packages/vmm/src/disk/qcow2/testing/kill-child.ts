/**
 * Works on a disk until it is killed: `kill-child.ts IMAGE SEED FIRST-VALUE`. Several requests are under way at once;
 * before each begins and when each has ended it says so in three unbuffered bytes: `b` or `e`, and the request's number.
 * Who knows the seed knows the requests.
 */
import fs from 'node:fs'
import { EpollLoop } from '../../../io/epoll-loop.ts'
import { NativeBuffer } from '../../../sys/native-buffer.ts'
import { openQcow2Chain, qcow2Disk } from '../chain.ts'
import { nextOperation, type Operation, overlap, request, SECTOR, ZONE_SECTORS } from './crash-model.ts'
import { Random } from './support.ts'

const MOST_AT_ONCE = 8

const [image = '', seed = '', value = ''] = process.argv.slice(2)
const random = new Random(Number(seed))
const disk = qcow2Disk(
  openQcow2Chain(image, false),
  (message) => {
    throw new Error(message)
  },
  { l2Pages: 3 },
)
const buffers = Array.from({ length: MOST_AT_ONCE }, () => new NativeBuffer(ZONE_SECTORS * SECTOR))
const underWay = new Map<number, { readonly number: number; readonly operation: Operation }>()
const tell = (kind: 'b' | 'e', number: number) =>
  fs.writeSync(1, Uint8Array.of(kind.charCodeAt(0), number & 0xff, number >> 8))
const loop = new EpollLoop()
disk.start(loop, {
  completed(tag, errno) {
    if (errno !== 0) throw new Error(`errno ${errno}`)
    tell('e', underWay.get(tag)!.number)
    underWay.delete(tag)
  },
  batchEnded() {},
})
for (let number = 0; ; number++) {
  const operation = nextOperation(random, Number(value) + number)
  const busy = () => [...underWay.values()].some((other) => overlap(other.operation, operation))
  while (underWay.size === MOST_AT_ONCE || busy()) loop.runOnce(1000)
  const tag = [...buffers.keys()].find((free) => !underWay.has(free))!
  tell('b', number)
  underWay.set(tag, { number, operation })
  request(disk, tag, operation, buffers[tag]!)
  disk.submit()
}
