import type { Output } from '../../display/outputs.ts'
import { CURSOR_SIZE } from '../../display/surface.ts'
import type { Resource } from './resource.ts'
import type { Resources } from './resources.ts'

/** struct virtio_gpu_update_cursor (VIRTIO 1.2, 5.7.6.10). */
export interface CursorRequest {
  /** The image's corner; it may lie left of or above the picture. */
  readonly x: number
  readonly y: number
  readonly resourceId: number
  readonly hotX: number
  readonly hotY: number
}

export function readCursorRequest(request: DataView): CursorRequest {
  const last = CURSOR_SIZE - 1
  return {
    x: request.getInt32(28, true),
    y: request.getInt32(32, true),
    resourceId: request.getUint32(40, true),
    hotX: Math.min(request.getUint32(44, true), last),
    hotY: Math.min(request.getUint32(48, true), last),
  }
}

/** Moves the cursor, and changes its image for an update. False: its resource is none that can be a cursor. */
export function setCursor(
  output: Output,
  { x, y, resourceId, hotX, hotY }: CursorRequest,
  update: boolean,
  resources: Resources,
): boolean {
  if (update && resourceId === 0) {
    output.setCursor(null, 0, 0)
    return true
  }
  if (update) {
    const image = readImage(resources.get(resourceId))
    if (image === null) return false
    output.setCursor(image, hotX, hotY)
  }
  output.moveCursor(x + hotX, y + hotY)
  return true
}

/** The resource as 64 × 64 pixels 0xAARRGGBB. */
function readImage(resource: Resource | undefined): Uint32Array | null {
  if (resource === undefined) return null
  const image = new Uint32Array(CURSOR_SIZE * CURSOR_SIZE)
  if (resource.kind === 'blob') {
    // A blob has no format of its own; Linux draws cursors in B8G8R8A8, which is this order.
    if (resource.backing === null || resource.backing.bytes < image.byteLength) return null
    resource.backing.copy(0, image.byteLength, new Uint8Array(image.buffer), 0)
    return image
  }
  if (resource.width !== CURSOR_SIZE || resource.height !== CURSOR_SIZE) return null
  for (let row = 0; row < CURSOR_SIZE; row++) {
    resource.readRow(row, 0, CURSOR_SIZE, image, row * CURSOR_SIZE)
  }
  return image
}
