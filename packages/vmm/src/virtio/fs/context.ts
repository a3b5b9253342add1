/** What the operations on a shared folder have in common. Their results are bytes of the answer's body, or an errno negated. */
import { close } from '../../sys/libc.ts'
import type { SharedFolder } from './folder.ts'
import { type Handle, type HandleTable, LOST, NOT_YET } from './handles.ts'
import { BODY, type Message, setU64 } from './message.ts'
import { type Identity, type Node, type NodeTable, sameFile } from './nodes.ts'
import { ATTR_OUT_BYTES, ENTRY_OUT_BYTES } from './protocol.ts'
import { S_IFDIR, S_IFLNK, S_IFREG } from './stat.ts'
import { ERRNO, O } from './system.ts'

export interface FolderContext {
  readonly folder: SharedFolder
  readonly nodes: NodeTable
  readonly handles: HandleTable
  /** User and group that everything belongs to in the guest. */
  readonly owner: number
}

/** Seconds for which the guest believes what it was told: others may change the folder at any time. */
const VALID_SECONDS = 1

const identity = ({ stat }: SharedFolder): Identity => ({
  inodeLow: stat.inodeLow,
  inodeHigh: stat.inodeHigh,
  device: stat.device,
})

/** Whether the guest gets to see what `folder.stat` is of: no devices, FIFOs, sockets. */
const isShown = ({ stat: { kind } }: SharedFolder): boolean =>
  kind === S_IFREG || kind === S_IFDIR || kind === S_IFLNK

/** Whether `folder.stat` is still of the file that the guest knows by this node. */
export const isStill = ({ folder }: FolderContext, node: Node): boolean =>
  // The folder itself is what its descriptor is.
  node.id === 1 || sameFile(node.identity, identity(folder))

/** A file that somebody of the host put in the place of another is looked up again by the guest. */
export function locateNode(context: FolderContext, node: Node): number {
  const path = context.nodes.path(node)
  if (path === undefined) return -ERRNO.ESTALE
  const fd = context.folder.locate(path)
  if (fd < 0) return stale(fd)
  if (isStill(context, node)) return fd
  close(fd)
  return -ERRNO.ESTALE
}

/** What the host's own changes make of a path that was right before. */
export const stale = (error: number): number =>
  error === -ERRNO.ENOENT || error === -ERRNO.ELOOP || error === -ERRNO.ENOTDIR ? -ERRNO.ESTALE : error

/**
 * The open handle with this number. One of a snapshot is opened here and not when the snapshot is read: then this process
 * may still have rights that its guest must not use.
 */
export function openHandle(context: FolderContext, id: number): Handle | undefined {
  const handle = context.handles.get(id)
  if (handle?.fd === NOT_YET) handle.fd = openAgain(context, handle)
  return handle
}

function openAgain(context: FolderContext, { node, isFolder, flags }: Handle): number {
  const { folder, nodes } = context
  const path = nodes.path(node)
  const kept = flags & (O.ACCMODE | O.APPEND)
  if (path === undefined || (!folder.writable && (kept & O.ACCMODE) !== O.RDONLY)) return LOST
  const fd = isFolder ? folder.openFolder(path) : folder.openFile(path, kept)
  if (fd < 0) return LOST
  if (isFolder || isStill(context, node)) return fd
  close(fd)
  return LOST
}

/** The folder behind `node`, for its entries. */
export function locateParent(context: FolderContext, node: Node): number {
  const path = context.nodes.path(node)
  return path === undefined ? -ERRNO.ESTALE : stale(context.folder.locateFolder(path))
}

/** Answers struct fuse_entry_out for what has the name, and counts a lookup of it. */
export function answerEntry(
  context: FolderContext,
  message: Message,
  parent: Node,
  name: string,
  entered: (node: Node) => void = () => {},
): number {
  const { folder, nodes } = context
  const path = nodes.path(parent)
  if (path === undefined) return -ERRNO.ESTALE
  const fd = folder.locate(parent === nodes.root ? name : `${path}/${name}`)
  if (fd < 0) return fd === -ERRNO.ELOOP ? -ERRNO.ESTALE : fd
  close(fd)
  if (!isShown(folder)) return -ERRNO.EPERM
  const node = nodes.found(parent, name, identity(folder))
  if (node === undefined) return -ERRNO.ENFILE
  entered(node)
  const { output } = message
  setU64(output, BODY, node.id)
  setU64(output, BODY + 8, 0)
  setU64(output, BODY + 16, VALID_SECONDS)
  setU64(output, BODY + 24, VALID_SECONDS)
  setU64(output, BODY + 32, 0)
  folder.stat.write(output, BODY + 40, context.owner)
  return ENTRY_OUT_BYTES
}

/** Answers struct fuse_attr_out of what `folder.stat` is of. */
export function answerAttributes({ folder, owner }: FolderContext, { output }: Message): number {
  setU64(output, BODY, VALID_SECONDS)
  setU64(output, BODY + 8, 0)
  folder.stat.write(output, BODY + 16, owner)
  return ATTR_OUT_BYTES
}
