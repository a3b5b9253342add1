/**
 * For tests: goes into a jail by the same door as the monitor, with one worker, and tries to get out from both
 * threads. Arguments: what `--jail` is given (or `process`), a neighbour's pid, a file for a disk. Prints JSON.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { openRawFile } from '../../disk/raw-file.ts'
import { DiskRing } from '../../disk/uring-ring.ts'
import { Jail } from '../jail.ts'
import { parseJail } from '../option.ts'
import { enterThreadJail, type ThreadJail } from '../thread.ts'
import { attemptAll, attemptRing } from './attempts.ts'

if (isMainThread) await main()
else worker()

async function main(): Promise<void> {
  const [option, neighbourText, disk] = process.argv.slice(2)
  const neighbour = Number(neighbourText)
  const jail = new Jail(option === 'process' ? { kind: 'process' } : parseJail(option!), {
    sockets: [],
    terminal: false,
    folders: 'none',
  })
  const ring = new DiskRing(openRawFile(disk!, { readOnly: false }), 8)
  const thread = new Worker(new URL(import.meta.url), { workerData: jail.thread })
  const answer = (): Promise<unknown> => new Promise((resolve) => thread.once('message', resolve))
  await answer()
  await jail.enter()
  thread.postMessage(neighbour)
  const worker = await answer()
  const result = { main: attemptAll(neighbour), worker, ring: attemptRing(ring) }
  process.stdout.write(JSON.stringify(result), () => process.exit())
}

function worker(): void {
  enterThreadJail(workerData as ThreadJail)
  parentPort!.on('message', (neighbour: number) => parentPort!.postMessage(attemptAll(neighbour)))
  parentPort!.postMessage('ready')
}
