/**
 * For tests: goes into a jail with a shared folder, as the monitor does, and tells what the folder's thread can do with
 * it by FUSE, and what each thread could do with its descriptor by raw system calls. Arguments: what `--jail` is given
 * (or `process`), the folder, `read` or `write`. Prints JSON.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { nameBytes } from '../../virtio/fs/folder.ts'
import { openFolder } from '../../virtio/fs/open-folder.ts'
import { actAsOwner } from '../../virtio/fs/owner-map.ts'
import { FUSE_ROOT_ID, OPCODE } from '../../virtio/fs/protocol.ts'
import { Session } from '../../virtio/fs/session.ts'
import { mkdirat, O, openat2 } from '../../virtio/fs/system.ts'
import { FuseClient } from '../../virtio/fs/testing/client.ts'
import { Jail } from '../jail.ts'
import { parseJail } from '../option.ts'
import { enterThreadJail, type ThreadJail } from '../thread.ts'

interface Data {
  readonly fd: number
  readonly writable: boolean
  readonly jail: ThreadJail | undefined
}

if (isMainThread) await main()
else worker()

/** With nothing but the descriptor, and none of the flags that keep a walk inside. */
function raw(fd: number): Record<string, number> {
  const open = (path: string, flags: number): number =>
    Math.min(0, openat2(fd, nameBytes(path), new Uint32Array([flags, 0, 0, 0, 0, 0])))
  return {
    inside: open('file', O.RDONLY),
    above: open('../secret', O.RDONLY),
    absolute: open('/etc/passwd', O.RDONLY),
    link: open('link', O.RDONLY),
    make: mkdirat(fd, nameBytes('raw'), 0o700),
  }
}

async function main(): Promise<void> {
  const [option, folder, mode] = process.argv.slice(2)
  const writable = mode === 'write'
  const jail = new Jail(option === 'process' ? { kind: 'process' } : parseJail(option!), {
    sockets: [],
    terminal: false,
    folders: writable ? 'write' : 'read',
  })
  const fd = openFolder(folder!, writable, jail.hasEmptyRoot)
  const mapped = writable && jail.uid !== undefined && (await actAsOwner(fd, jail.uid))
  const data: Data = { fd, writable, jail: jail.threadWithFolder(fd, writable) }
  const thread = new Worker(new URL(import.meta.url), { workerData: data })
  const answer = (): Promise<unknown> => new Promise((resolve) => thread.once('message', resolve))
  await answer()
  await jail.enter()
  thread.postMessage('go')
  const served = await answer()
  const result = { ...(served as object), mapped, main: raw(fd) }
  process.stdout.write(JSON.stringify(result), () => process.exit())
}

function worker(): void {
  const { fd, writable, jail } = workerData as Data
  const client = new FuseClient(new Session({ fd, writable, owner: 1000 }))
  client.start()
  enterThreadJail(jail)
  parentPort!.on('message', () => {
    const file = client.walk('file')
    const handle = client.open(file, O.RDONLY)
    const text = typeof handle === 'bigint' ? String(client.read(file, handle, 0, 100)) : handle
    const create = client.ask(OPCODE.CREATE, FUSE_ROOT_ID, [O.RDWR, 0o640, 0, 0, 'made']).error
    const makeFolder = client.ask(OPCODE.MKDIR, FUSE_ROOT_ID, [0o750, 0, 'folder']).error
    const names = [BigInt(makeFolder === 0 ? client.walk('folder') : 1), 'made', 'renamed'] as const
    const rename = client.ask(OPCODE.RENAME, FUSE_ROOT_ID, names).error
    const list = client.list(FUSE_ROOT_ID).sort()
    const status = client.ask(OPCODE.STATFS, FUSE_ROOT_ID, []).error
    parentPort!.postMessage({ text, create, makeFolder, rename, list, status, thread: raw(fd) })
  })
  parentPort!.postMessage('ready')
}
