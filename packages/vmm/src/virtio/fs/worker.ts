/** The thread of one shared folder. */
import { parentPort, workerData } from 'node:worker_threads'
import { enterThreadJail, type ThreadJail } from '../../jail/thread.ts'
import type { FsChannel } from './channel.ts'
import { serveChannel } from './serve-channel.ts'
import { type FolderOptions, Session } from './session.ts'

export interface FsWorkerData {
  readonly channel: FsChannel
  readonly folder: FolderOptions
  readonly jail: ThreadJail | undefined
}

const { channel, folder, jail } = workerData as FsWorkerData
const session = new Session(folder)
enterThreadJail(jail)
parentPort!.postMessage('ready')
serveChannel(channel, session)
