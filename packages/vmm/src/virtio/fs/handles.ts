/** The files and folders that the guest has open. */
import { close } from '../../sys/libc.ts'
import type { Node } from './nodes.ts'

export interface Handle {
  readonly id: number
  /** Or NOT_YET, or LOST. */
  fd: number
  readonly node: Node
  readonly isFolder: boolean
  /** As it was opened, of O. */
  readonly flags: number
}

/** Known from a snapshot, and opened when it is used. */
export const NOT_YET = -2
/** It could not be opened again. */
export const LOST = -1

/** A guest's program may have about so many as well. Each is a descriptor of this process. */
export const MAX_HANDLES = 2048

export class HandleTable {
  private readonly byId = new Map<number, Handle>()
  private next = 1

  get isFull(): boolean {
    return this.byId.size >= MAX_HANDLES
  }

  get count(): number {
    return this.byId.size
  }

  get(id: number): Handle | undefined {
    return this.byId.get(id)
  }

  /** Takes over `fd`. `id` is given when a snapshot has it. */
  add(node: Node, fd: number, isFolder: boolean, flags: number, id = this.next): Handle {
    const handle = { id, fd, node, isFolder, flags }
    this.next = Math.max(this.next, id + 1)
    this.byId.set(id, handle)
    node.handles.add(id)
    return handle
  }

  /** An open handle of `node`, for what is done to a file whose name is gone. */
  of(node: Node): Handle | undefined {
    for (const id of node.handles) {
      const handle = this.byId.get(id)
      if (handle !== undefined && handle.fd >= 0) return handle
    }
    return undefined
  }

  remove(id: number): Handle | undefined {
    const handle = this.byId.get(id)
    if (handle === undefined) return undefined
    this.byId.delete(id)
    handle.node.handles.delete(id)
    if (handle.fd >= 0) close(handle.fd)
    return handle
  }

  clear(): void {
    for (const id of [...this.byId.keys()]) this.remove(id)
  }

  save(): { id: number; node: number; isFolder: boolean; flags: number }[] {
    return [...this.byId.values()].map(({ id, node, isFolder, flags }) => ({
      ...{ id, node: node.id, isFolder, flags },
    }))
  }
}
