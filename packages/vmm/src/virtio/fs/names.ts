/** Operations on names: looking up, making, renaming, removing. */
import { close } from '../../sys/libc.ts'
import { answerEntry, type FolderContext, locateNode, locateParent } from './context.ts'
import { isName, nameBytes } from './folder.ts'
import type { Message } from './message.ts'
import type { Node } from './nodes.ts'
import { MODE_BITS, S_IFMT, S_IFREG } from './stat.ts'
import { AT_REMOVEDIR, ERRNO, fchmod, linkat, mkdirat, O, renameat2, symlinkat, unlinkat } from './system.ts'

/** <linux/fs.h>; no RENAME_WHITEOUT, which is a device node. */
const RENAME_NOREPLACE = 1
const RENAME_EXCHANGE = 2
/** What exists a moment with fewer rights before it gets its own. */
const PRIVATE = 0o700

export function lookup(context: FolderContext, message: Message, parent: Node): number {
  const name = message.text(0)
  if (name === undefined || !isName(name)) return -ERRNO.EINVAL
  return answerEntry(context, message, parent, name)
}

export function makeFolder(context: FolderContext, message: Message, parent: Node): number {
  const name = message.text(8)
  if (name === undefined || !isName(name)) return -ERRNO.EINVAL
  const mode = message.u32(0) & MODE_BITS
  const failed = inFolder(context, parent, (fd) => mkdirat(fd, nameBytes(name), PRIVATE))
  if (failed < 0) return failed
  const made = context.folder.openFolder(pathOf(context, parent, name))
  // Exactly what was asked for: the guest has applied its own mask, and this process's is nothing to it.
  if (made >= 0) {
    fchmod(made, mode)
    close(made)
  }
  return answerEntry(context, message, parent, name)
}

/** Only regular files: no device node ever comes to the host through a guest, nor a FIFO or a socket. */
export function makeNode(context: FolderContext, message: Message, parent: Node): number {
  const name = message.text(16)
  if (name === undefined || !isName(name)) return -ERRNO.EINVAL
  const mode = message.u32(0)
  if ((mode & S_IFMT) !== S_IFREG && (mode & S_IFMT) !== 0) return -ERRNO.EPERM
  const fd = createFile(context, parent, name, O.WRONLY | O.EXCL, mode)
  if (fd < 0) return fd
  close(fd)
  return answerEntry(context, message, parent, name)
}

/** Makes the file, or opens it where it exists and `flags` have no EXCL. */
export function createFile(
  { folder, nodes }: FolderContext,
  parent: Node,
  name: string,
  flags: number,
  mode: number,
): number {
  const path = nodes.path(parent)
  if (path === undefined) return -ERRNO.ESTALE
  const whole = parent === nodes.root ? name : `${path}/${name}`
  const made = folder.openFile(whole, flags | O.CREAT | O.EXCL, mode & MODE_BITS)
  if (made >= 0) fchmod(made, mode & MODE_BITS)
  return made === -ERRNO.EEXIST && (flags & O.EXCL) === 0 ? folder.openFile(whole, flags) : made
}

/** What the link says is the guest's business: nothing here ever follows one. */
export function makeLink(context: FolderContext, message: Message, parent: Node): number {
  const name = message.text(0)
  if (name === undefined || !isName(name)) return -ERRNO.EINVAL
  const target = message.text(name.length + 1)
  if (target === undefined || target === '') return -ERRNO.EINVAL
  const failed = inFolder(context, parent, (fd) => symlinkat(nameBytes(target), fd, nameBytes(name)))
  return failed < 0 ? failed : answerEntry(context, message, parent, name)
}

/** A second name for a file of the folder, by its first one. */
export function link(context: FolderContext, message: Message, parent: Node): number {
  const name = message.text(8)
  if (name === undefined || !isName(name)) return -ERRNO.EINVAL
  const node = context.nodes.get(message.u64(0))
  if (node?.parent === undefined) return -ERRNO.ESTALE
  const found = locateNode(context, node)
  if (found < 0) return found
  close(found)
  const failed = inFolder(context, node.parent, (from) =>
    inFolder(context, parent, (to) => linkat(from, nameBytes(node.name), to, nameBytes(name))),
  )
  return failed < 0 ? failed : answerEntry(context, message, parent, name)
}

export function remove(context: FolderContext, message: Message, parent: Node, isFolder: boolean): number {
  const name = message.text(0)
  if (name === undefined || !isName(name)) return -ERRNO.EINVAL
  const flags = isFolder ? AT_REMOVEDIR : 0
  const failed = inFolder(context, parent, (fd) => unlinkat(fd, nameBytes(name), flags))
  if (failed < 0) return failed
  context.nodes.removed(parent, name)
  return 0
}

/** `at`: where the names begin, behind the arguments of RENAME or RENAME2. */
export function rename(context: FolderContext, message: Message, parent: Node, at: number): number {
  const flags = at > 8 ? message.u32(8) : 0
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) return -ERRNO.EINVAL
  const target = context.nodes.get(message.u64(0))
  const name = message.text(at)
  const newName = name === undefined ? undefined : message.text(at + name.length + 1)
  if (name === undefined || newName === undefined || !isName(name) || !isName(newName)) return -ERRNO.EINVAL
  if (target === undefined) return -ERRNO.ESTALE
  const failed = inFolder(context, parent, (from) =>
    inFolder(context, target, (to) => renameat2(from, nameBytes(name), to, nameBytes(newName), flags)),
  )
  if (failed < 0) return failed
  const { nodes } = context
  if (flags & RENAME_EXCHANGE) nodes.exchanged(parent, name, target, newName)
  else nodes.moved(parent, name, target, newName)
  return 0
}

/** Does `work` with a descriptor of the folder behind `node`. */
function inFolder(context: FolderContext, node: Node, work: (fd: number) => number): number {
  const fd = locateParent(context, node)
  if (fd < 0) return fd
  const result = work(fd)
  close(fd)
  return result
}

const pathOf = ({ nodes }: FolderContext, parent: Node, name: string): string =>
  parent === nodes.root ? name : `${nodes.path(parent) ?? ''}/${name}`
