/**
 * What the guest knows of the folder: a number for every name it looked up. A node is a place (its parent and its
 * name) and which file was there, and holds no descriptor: each use finds the file anew from the folder's own
 * descriptor, so a guest cannot make the monitor hold the host's files, and a snapshot can name them.
 */
import { isName } from './folder.ts'
import { FUSE_ROOT_ID } from './protocol.ts'

/** Which file it was: its inode's number in two halves, and its file system. */
export interface Identity {
  readonly inodeLow: number
  readonly inodeHigh: number
  readonly device: number
}

export interface Node {
  readonly id: number
  /** Undefined: the folder itself, or a file whose name is gone. */
  parent: Node | undefined
  /** Its bytes, one character each. */
  name: string
  /** How many lookups the guest has not forgotten. */
  lookups: number
  identity: Identity
  children: Map<string, Node> | undefined
  /** Open handles: the way to a file whose name is gone. */
  readonly handles: Set<number>
}

/** As the snapshot has it. */
export interface SavedNode {
  readonly id: number
  /** 0: its name is gone. */
  readonly parent: number
  readonly name: string
  readonly lookups: number
  readonly identity: [number, number, number]
}

/**
 * More are forgotten, the oldest first: Linux looks a name up again when it is told ESTALE. A guest's memory for names
 * is its own; the host's has this bound.
 */
export const MAX_NODES = 65_536
const EVICTED_AT_ONCE = 256

export class NodeTable {
  readonly root: Node
  private readonly byId = new Map<number, Node>()
  private readonly limit: number
  private next = FUSE_ROOT_ID + 1

  constructor(limit = MAX_NODES) {
    this.limit = limit
    const identity = { inodeLow: 0, inodeHigh: 0, device: 0 }
    const handles = new Set<number>()
    this.root = {
      ...{ id: FUSE_ROOT_ID, parent: undefined, name: '', lookups: 1 },
      ...{ identity, children: undefined, handles },
    }
    this.byId.set(FUSE_ROOT_ID, this.root)
  }

  get count(): number {
    return this.byId.size
  }

  get(id: number): Node | undefined {
    return this.byId.get(id)
  }

  /**
   * The name was looked up and is this file now; another one that had the name loses it. Counts the lookup. Undefined
   * when there are too many nodes that something hangs on.
   */
  found(parent: Node, name: string, identity: Identity): Node | undefined {
    const known = parent.children?.get(name)
    if (known !== undefined && sameFile(known.identity, identity)) {
      known.lookups++
      return known
    }
    if (known !== undefined) this.detach(known)
    if (this.byId.size >= this.limit) this.evict(parent)
    if (this.byId.size >= this.limit) return undefined
    const handles = new Set<number>()
    const node: Node = { id: this.next++, parent, name, lookups: 1, identity, children: undefined, handles }
    this.byId.set(node.id, node)
    attach(node, parent, name)
    return node
  }

  /** The path from the folder, `.` for itself, its bytes one character each; undefined when its name is gone. */
  path(node: Node): string | undefined {
    if (node === this.root) return '.'
    let path = node.name
    for (let at = node.parent; at !== this.root; at = at.parent) {
      if (at === undefined) return undefined
      path = `${at.name}/${path}`
    }
    return node.parent === undefined ? undefined : path
  }

  forget(id: number, lookups: number): void {
    const node = this.byId.get(id)
    if (node === undefined || node === this.root) return
    node.lookups = Math.max(0, node.lookups - lookups)
    this.dropIfUnused(node)
  }

  /** The name is gone, or somebody else's. */
  removed(parent: Node, name: string): void {
    const node = parent.children?.get(name)
    if (node !== undefined) this.detach(node)
  }

  moved(from: Node, name: string, to: Node, newName: string): void {
    if (from === to && name === newName) return
    const node = from.children?.get(name)
    this.removed(to, newName)
    if (node === undefined) return
    from.children?.delete(name)
    this.place(node, to, newName)
  }

  exchanged(from: Node, name: string, to: Node, newName: string): void {
    const first = from.children?.get(name)
    const second = to.children?.get(newName)
    from.children?.delete(name)
    to.children?.delete(newName)
    if (first) this.place(first, to, newName)
    if (second) this.place(second, from, name)
  }

  /** After a handle of it was closed. */
  dropIfUnused(node: Node): void {
    for (let at: Node | undefined = node; at !== undefined && isUnused(at) && at !== this.root; ) {
      const { parent }: Node = at
      this.drop(at)
      at = parent
    }
  }

  clear(): void {
    this.byId.clear()
    this.root.children = undefined
    this.root.handles.clear()
    this.byId.set(FUSE_ROOT_ID, this.root)
  }

  save(): SavedNode[] {
    return [...this.byId.values()]
      .filter((node) => node !== this.root)
      .map(({ id, parent, name, lookups, identity: { inodeLow, inodeHigh, device } }) => ({
        ...{ id, parent: parent?.id ?? 0, name, lookups },
        identity: [inodeLow, inodeHigh, device],
      }))
  }

  /** Any list is safe: what does not fit together has no name. */
  restore(saved: readonly SavedNode[]): void {
    this.clear()
    for (const { id, lookups, identity } of saved.slice(0, this.limit)) {
      if (id <= FUSE_ROOT_ID) continue
      const [inodeLow, inodeHigh, device] = identity
      const handles = new Set<number>()
      this.byId.set(id, {
        ...{ id, parent: undefined, name: '', lookups, handles, children: undefined },
        identity: { inodeLow, inodeHigh, device },
      })
      this.next = Math.max(this.next, id + 1)
    }
    for (const { id, parent: parentId, name } of saved) {
      const node = this.byId.get(id)
      const parent = this.byId.get(parentId)
      if (!node || !parent || node === this.root || node.parent || parent.children?.has(name)) continue
      // As from the guest: some calls take the name alone, and would follow another one anywhere.
      if (!isName(name)) continue
      this.place(node, parent, name)
    }
  }

  /** Somebody of the host may rename meanwhile: what would lie in itself then has no place any more. */
  private place(node: Node, parent: Node, name: string): void {
    node.parent = undefined
    let above: Node | undefined = parent
    while (above !== undefined && above !== node) above = above.parent
    if (above === undefined) attach(node, parent, name)
  }

  private detach(node: Node): void {
    node.parent?.children?.delete(node.name)
    node.parent = undefined
    this.dropIfUnused(node)
  }

  private drop(node: Node): void {
    node.parent?.children?.delete(node.name)
    node.parent = undefined
    this.byId.delete(node.id)
  }

  /** The oldest that nothing hangs on; not `spared`, which is about to have a child. */
  private evict(spared: Node): void {
    let left = EVICTED_AT_ONCE
    for (const node of this.byId.values()) {
      if (left === 0) return
      if (node === this.root || node === spared || hasChildren(node) || node.handles.size > 0) continue
      this.drop(node)
      left--
    }
  }
}

const hasChildren = (node: Node): boolean => node.children !== undefined && node.children.size > 0
const isUnused = (node: Node): boolean => node.lookups === 0 && node.handles.size === 0 && !hasChildren(node)

function attach(node: Node, parent: Node, name: string): void {
  node.parent = parent
  node.name = name
  parent.children ??= new Map()
  parent.children.set(name, node)
}

export const sameFile = (a: Identity, b: Identity): boolean =>
  a.inodeLow === b.inodeLow && a.inodeHigh === b.inodeHigh && a.device === b.device
