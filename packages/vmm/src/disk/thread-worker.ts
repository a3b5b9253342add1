/** The thread that does disks' work where the kernel has no io_uring for us: one call after the other, for all files. */
import { parentPort, workerData } from 'node:worker_threads'
import { enterThreadJail, type ThreadJail } from '../jail/thread.ts'
import * as libc from '../sys/libc.ts'
import { performOperation } from './perform.ts'
import {
  AT,
  COMPLETION_WORDS,
  type DiskThreadFile,
  OPERATION_DOUBLES,
  operationsOf,
  THREAD_RING_ENTRIES,
  wordsOf,
} from './thread-ring.ts'

export interface DiskThreadData {
  readonly files: readonly DiskThreadFile[]
  readonly bell: SharedArrayBuffer
  readonly jail: ThreadJail | undefined
}

const { files, bell, jail } = workerData as DiskThreadData
const one = new BigUint64Array([1n])

/** Does the oldest operation of a file; returns whether there was one. */
function server(file: DiskThreadFile): () => boolean {
  const words = wordsOf(file)
  const operations = operationsOf(file)
  return () => {
    const started = words[AT.started]!
    if (started === Atomics.load(words, AT.pushed)) return false
    const at = (started & (THREAD_RING_ENTRIES - 1)) * OPERATION_DOUBLES
    const [operation, fd, offset, address, length, tag] = operations.subarray(at, at + OPERATION_DOUBLES)
    words[AT.started] = (started + 1) | 0
    const result = performOperation(fd!, operation!, offset!, address!, length!)
    const ended = words[AT.ended]!
    const completion = AT.completions + (ended & (THREAD_RING_ENTRIES - 1)) * COMPLETION_WORDS
    words[completion] = tag!
    words[completion + 1] = result
    Atomics.store(words, AT.ended, (ended + 1) | 0)
    Atomics.notify(words, AT.ended)
    libc.write(file.endedFd, one, 8)
    return true
  }
}

const servers = files.map(server)
const rung = new Int32Array(bell)
enterThreadJail(jail)
parentPort!.postMessage('ready')
for (;;) {
  const heard = Atomics.load(rung, 0)
  let worked = false
  // In turn, so that no disk starves.
  for (const serve of servers) worked = serve() || worked
  if (!worked) Atomics.wait(rung, 0, heard)
}
