/** `GET /vms/<uid>/screen.jpg?width=N`: a small picture of a running VM's screen, for lists. */
import type { ServerResponse } from 'node:http'
import { vmmScreenshotSchema } from '@hearth/shared/vmm-control'
import type { Vm } from '../vm/vm.ts'

const defaultWidth = 320

export async function answerScreenPicture(
  vm: Vm | undefined,
  request: { width: string | null; ifNoneMatch: string | undefined },
  response: ServerResponse,
): Promise<void> {
  if (!vm) return end(response, 404)
  if (!vm.hasDisplay) return end(response, 409)
  const width = Number(request.width ?? defaultWidth)
  const maxWidth = Number.isInteger(width) && width > 0 ? Math.min(width, 1920) : defaultWidth
  let shot: ReturnType<typeof vmmScreenshotSchema.parse>
  try {
    shot = vmmScreenshotSchema.parse(await vm.ask('screenshot', { maxWidth }))
  } catch {
    // On its way out, or too busy to be asked for a picture.
    return end(response, 503)
  }
  const etag = `"${shot.version}-${maxWidth}"`
  response.setHeader('etag', etag)
  response.setHeader('cache-control', 'private, no-cache')
  if (request.ifNoneMatch === etag) return end(response, 304)
  response.writeHead(200, { 'content-type': 'image/jpeg' })
  response.end(Buffer.from(shot.jpeg, 'base64'))
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end()
}
