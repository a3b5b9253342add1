/**
 * The FUSE server of one shared folder: takes a request, does it, writes the answer. Whatever the request is, there is
 * an answer, and nothing outside the folder is touched. It may block while the host's file system does, so it has a
 * thread of its own (thread.ts).
 */
import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import { fileSystem, getAttributes, readLink, setAttributes } from './attributes.ts'
import type { FolderContext } from './context.ts'
import { allocate, create, open, read, release, sync, write } from './files.ts'
import { SharedFolder } from './folder.ts'
import { HandleTable, NOT_YET } from './handles.ts'
import { list } from './listing.ts'
import { BODY, type Message, setU64 } from './message.ts'
import { link, lookup, makeFolder, makeLink, makeNode, remove, rename } from './names.ts'
import { type Node, NodeTable } from './nodes.ts'
import {
  FUSE,
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  IN_HEADER,
  INIT_OUT_BYTES,
  isUnanswered,
  MAX_PAGES,
  MAX_TRANSFER,
  OPCODE,
  OUT_HEADER,
  OUT_HEADER_BYTES,
} from './protocol.ts'
import { ERRNO } from './system.ts'

export interface FolderOptions {
  /** The folder's descriptor, which stays the caller's. */
  readonly fd: number
  readonly writable: boolean
  /** User and group that everything belongs to in the guest. */
  readonly owner: number
}

interface Operation {
  /** Bytes of arguments that have to be there. */
  readonly least: number
  /** Needs a folder that may be written. */
  readonly changes?: boolean
  /** Bytes of the answer's body, or an errno negated. */
  run(context: FolderContext, message: Message, node: Node): number
}

const FEATURES =
  FUSE.ASYNC_READ |
  FUSE.ATOMIC_O_TRUNC |
  FUSE.BIG_WRITES |
  FUSE.AUTO_INVAL_DATA |
  FUSE.PARALLEL_DIROPS |
  FUSE.HANDLE_KILLPRIV |
  FUSE.MAX_PAGES
const FORGET_ONE_BYTES = 16

const OPERATIONS = new Map<number, Operation>([
  [OPCODE.LOOKUP, { least: 2, run: lookup }],
  [OPCODE.GETATTR, { least: 16, run: getAttributes }],
  [OPCODE.SETATTR, { least: 88, changes: true, run: setAttributes }],
  [OPCODE.READLINK, { least: 0, run: readLink }],
  [OPCODE.SYMLINK, { least: 4, changes: true, run: makeLink }],
  [OPCODE.MKNOD, { least: 18, changes: true, run: makeNode }],
  [OPCODE.MKDIR, { least: 10, changes: true, run: makeFolder }],
  [OPCODE.UNLINK, { least: 2, changes: true, run: (...request) => remove(...request, false) }],
  [OPCODE.RMDIR, { least: 2, changes: true, run: (...request) => remove(...request, true) }],
  [OPCODE.RENAME, { least: 12, changes: true, run: (...request) => rename(...request, 8) }],
  [OPCODE.RENAME2, { least: 20, changes: true, run: (...request) => rename(...request, 16) }],
  [OPCODE.LINK, { least: 10, changes: true, run: link }],
  [OPCODE.OPEN, { least: 8, run: (...request) => open(...request, false) }],
  [OPCODE.OPENDIR, { least: 8, run: (...request) => open(...request, true) }],
  [OPCODE.CREATE, { least: 18, changes: true, run: create }],
  [OPCODE.READ, { least: 40, run: read }],
  [OPCODE.WRITE, { least: 40, changes: true, run: write }],
  [OPCODE.RELEASE, { least: 24, run: release }],
  [OPCODE.RELEASEDIR, { least: 24, run: release }],
  [OPCODE.READDIR, { least: 40, run: list }],
  [OPCODE.FSYNC, { least: 16, run: sync }],
  [OPCODE.FSYNCDIR, { least: 16, run: sync }],
  [OPCODE.FALLOCATE, { least: 32, changes: true, run: allocate }],
  [OPCODE.STATFS, { least: 0, run: fileSystem }],
])

export class Session {
  private readonly context: FolderContext
  private started = false

  constructor({ fd, writable, owner }: FolderOptions) {
    const folder = new SharedFolder(fd, writable)
    this.context = { folder, owner, nodes: new NodeTable(), handles: new HandleTable() }
  }

  /** Names and open files that the guest has here: both have a limit. */
  get held(): { readonly nodes: number; readonly handles: number } {
    return { nodes: this.context.nodes.count, handles: this.context.handles.count }
  }

  /** Does what `message.request` says, whose header is complete, and fills its answer. */
  serve(message: Message): void {
    const opcode = message.headerU32(IN_HEADER.opcode)
    message.answerBytes = 0
    let result: number
    try {
      result = this.run(opcode, message)
    } catch {
      result = -ERRNO.EIO
    }
    if (isUnanswered(opcode)) return
    const { output } = message
    const failed = result < 0
    const inGuest = !failed && opcode === OPCODE.READ ? result : 0
    message.answerBytes = OUT_HEADER_BYTES + (failed ? 0 : result - inGuest)
    output.setUint32(OUT_HEADER.length, message.answerBytes + inGuest, true)
    output.setInt32(OUT_HEADER.error, failed ? result : 0, true)
    output.setUint32(OUT_HEADER.unique, message.headerU32(IN_HEADER.unique), true)
    output.setUint32(OUT_HEADER.unique + 4, message.headerU32(IN_HEADER.unique + 4), true)
  }

  /** The guest is gone, or starts over: everything it has open is closed. */
  reset(): void {
    this.started = false
    this.context.handles.clear()
    this.context.nodes.clear()
  }

  save(): VirtioDeviceState<'fs'> {
    const { nodes, handles } = this.context
    return { started: this.started, nodes: nodes.save(), handles: handles.save() }
  }

  /** What was open is opened again when it is used: a file that is not there any more, or is another one, then answers EIO. */
  restore(state: VirtioDeviceState<'fs'>): void {
    this.reset()
    const { nodes, handles } = this.context
    this.started = state.started
    nodes.restore(state.nodes)
    for (const { id, node: nodeId, isFolder, flags } of state.handles) {
      const node = nodes.get(nodeId)
      if (node === undefined || handles.isFull || handles.get(id) !== undefined) continue
      handles.add(node, NOT_YET, isFolder, flags, id)
    }
  }

  private run(opcode: number, message: Message): number {
    if (opcode === OPCODE.INIT) return this.start(message)
    if (opcode === OPCODE.DESTROY) {
      this.reset()
      return 0
    }
    if (!this.started) return -ERRNO.EIO
    const id = message.headerU64(IN_HEADER.node)
    const { nodes } = this.context
    if (opcode === OPCODE.FORGET) {
      if (message.argumentBytes >= 8) nodes.forget(id, message.u64(0))
      return 0
    }
    if (opcode === OPCODE.BATCH_FORGET) return this.forgetMany(message)
    const operation = OPERATIONS.get(opcode)
    // The driver does without, or in another way, and does not ask again.
    if (operation === undefined) return -ERRNO.ENOSYS
    if (message.argumentBytes < operation.least) return -ERRNO.EINVAL
    if (operation.changes === true && !this.context.folder.writable) return -ERRNO.EROFS
    const node = nodes.get(id)
    return node === undefined ? -ERRNO.ESTALE : operation.run(this.context, message, node)
  }

  private forgetMany(message: Message): number {
    if (message.argumentBytes < 8) return 0
    const fitting = Math.floor((message.argumentBytes - 8) / FORGET_ONE_BYTES)
    const count = Math.min(message.u32(0), fitting)
    for (let i = 0; i < count; i++) {
      const at = 8 + i * FORGET_ONE_BYTES
      this.context.nodes.forget(message.u64(at), message.u64(at + 8))
    }
    return 0
  }

  private start(message: Message): number {
    if (message.argumentBytes < 16) return -ERRNO.EINVAL
    const { output } = message
    const [major, minor] = [message.u32(0), message.u32(4)]
    if (major < FUSE_KERNEL_VERSION || (major === FUSE_KERNEL_VERSION && minor < FUSE_KERNEL_MINOR_VERSION)) {
      return -ERRNO.EPROTO
    }
    message.answer.fill(0, BODY, BODY + INIT_OUT_BYTES)
    setU64(output, BODY, FUSE_KERNEL_VERSION)
    output.setUint32(BODY + 4, FUSE_KERNEL_MINOR_VERSION, true)
    // A newer driver asks again in our version.
    if (major > FUSE_KERNEL_VERSION) return INIT_OUT_BYTES
    this.reset()
    this.started = true
    output.setUint32(BODY + 8, Math.min(message.u32(8), MAX_TRANSFER), true)
    output.setUint32(BODY + 12, message.u32(12) & FEATURES, true)
    output.setUint32(BODY + 20, MAX_TRANSFER, true)
    // Times have nanoseconds.
    output.setUint32(BODY + 24, 1, true)
    output.setUint16(BODY + 28, MAX_PAGES, true)
    return INIT_OUT_BYTES
  }
}
