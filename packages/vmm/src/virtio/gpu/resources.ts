import type { VirtioDeviceState } from '@hearth/shared/vm-snapshot'
import type { GuestMemory } from '../../memory/guest-memory.ts'
import { packBytes, unpackBytes } from '../../snapshot/packed-bytes.ts'
import { Backing } from './backing.ts'
import { FORMAT, RESP } from './protocol.ts'
import { BlobResource, type Resource, Resource2d } from './resource.ts'

/** Largest width and height of a picture. */
export const MAX_DIMENSION = 8192
const MAX_RESOURCES = 4096
/** Pieces of all backings of a VM: 1 GiB in pages of 4 KiB. */
const MAX_PIECES = 256 * 1024

type Saved = VirtioDeviceState<'gpu'>['resources']

/**
 * All resources of a device (VIRTIO 1.2, 5.7.6.8), within what they may take of the host: each method answers with the
 * response type the specification has, and changes nothing unless that is OK.
 */
export class Resources {
  private readonly all = new Map<number, Resource>()
  private readonly memoryLimit: number
  private memoryUsed = 0
  private piecesUsed = 0

  /** `memoryLimit`: bytes of host memory for 2D resources. */
  constructor(memoryLimit: number) {
    this.memoryLimit = memoryLimit
  }

  get(id: number): Resource | undefined {
    return this.all.get(id)
  }

  create2d(id: number, format: number, width: number, height: number): number {
    if (id === 0 || this.all.has(id)) return RESP.ERR_INVALID_RESOURCE_ID
    if (FORMAT[format] === undefined) return RESP.ERR_INVALID_PARAMETER
    if (width === 0 || height === 0 || width > MAX_DIMENSION || height > MAX_DIMENSION) {
      return RESP.ERR_INVALID_PARAMETER
    }
    if (this.all.size >= MAX_RESOURCES) return RESP.ERR_OUT_OF_MEMORY
    if (this.memoryUsed + width * height * 4 > this.memoryLimit) return RESP.ERR_OUT_OF_MEMORY
    const resource = new Resource2d(id, format, width, height)
    this.all.set(id, resource)
    this.memoryUsed += resource.bytes
    return RESP.OK_NODATA
  }

  /** `backing` null: its pages come later. */
  createBlob(id: number, size: number, backing: Backing | null): number {
    if (id === 0 || this.all.has(id)) return RESP.ERR_INVALID_RESOURCE_ID
    if (this.all.size >= MAX_RESOURCES) return RESP.ERR_OUT_OF_MEMORY
    const blob = new BlobResource(id, size)
    if (backing !== null) {
      const outcome = this.give(blob, backing)
      if (outcome !== RESP.OK_NODATA) return outcome
    }
    this.all.set(id, blob)
    return RESP.OK_NODATA
  }

  unref(id: number): number {
    const resource = this.all.get(id)
    if (resource === undefined) return RESP.ERR_INVALID_RESOURCE_ID
    this.all.delete(id)
    this.memoryUsed -= resource.bytes
    this.piecesUsed -= resource.backing?.pieces ?? 0
    return RESP.OK_NODATA
  }

  attach(id: number, backing: Backing): number {
    const resource = this.all.get(id)
    if (resource === undefined) return RESP.ERR_INVALID_RESOURCE_ID
    if (resource.backing !== null) return RESP.ERR_UNSPEC
    return this.give(resource, backing)
  }

  detach(id: number): number {
    const resource = this.all.get(id)
    if (resource === undefined) return RESP.ERR_INVALID_RESOURCE_ID
    if (resource.backing === null) return RESP.ERR_UNSPEC
    this.piecesUsed -= resource.backing.pieces
    resource.backing = null
    return RESP.OK_NODATA
  }

  clear(): void {
    this.all.clear()
    this.memoryUsed = 0
    this.piecesUsed = 0
  }

  save(): Saved {
    return [...this.all.values()].map((resource) => {
      const { id } = resource
      const backing = resource.backing?.save() ?? null
      if (resource.kind === 'blob') return { kind: 'blob', id, size: resource.size, backing }
      const { format, width, height } = resource
      return { kind: '2d', id, format, width, height, backing, pixels: packBytes(resource.pixels) }
    })
  }

  /** Into an empty one. Throws with a line for people when what was saved breaks a rule that its guest had to keep. */
  restore(memory: GuestMemory, saved: Saved): void {
    for (const one of saved) {
      const backing = one.backing && Backing.of(memory, one.backing)
      if (one.backing !== null && backing === null) throw new Error(`picture ${one.id} lies outside RAM`)
      let outcome: number
      if (one.kind === 'blob') outcome = this.createBlob(one.id, one.size, backing)
      else {
        outcome = this.create2d(one.id, one.format, one.width, one.height)
        if (outcome === RESP.OK_NODATA && backing !== null) outcome = this.attach(one.id, backing)
        const resource = this.all.get(one.id)
        if (outcome === RESP.OK_NODATA && resource?.kind === '2d') unpackBytes(one.pixels, resource.pixels)
      }
      if (outcome !== RESP.OK_NODATA) throw new Error(`picture ${one.id} is none this device can have`)
    }
  }

  private give(resource: Resource, backing: Backing): number {
    if (resource.kind === 'blob' && backing.bytes < resource.size) return RESP.ERR_INVALID_PARAMETER
    if (this.piecesUsed + backing.pieces > MAX_PIECES) return RESP.ERR_OUT_OF_MEMORY
    this.piecesUsed += backing.pieces
    resource.backing = backing
    return RESP.OK_NODATA
  }
}
