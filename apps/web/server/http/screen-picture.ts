/** `GET /console/<vmId>/screen.jpg?width=N`: a small picture of a running VM's screen for whoever may see the VM. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HearthError } from '@hearth/shared/errors'
import { on } from '../auth/privilege.ts'
import { errorText } from '../log.ts'
import type { Portal } from '../portal.ts'
import { ensurePrivilege } from '../services/access.ts'
import { addressOf, respondText } from './respond.ts'

export const screenPicturePath = /^\/console\/([1-9]\d{0,14})\/screen\.jpg$/
const widths = { default: 320, most: 1920 }

export async function answerScreenPicture(
  { db, auth, agents, log }: Portal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://portal')
  const id = Number(screenPicturePath.exec(url.pathname)?.[1])
  if (request.method !== 'GET') return respondText(response, 405, 'Only GET.\n')
  try {
    const viewer = await auth.viewer(request.headers, addressOf(request))
    await ensurePrivilege(db, viewer, on('vm', 'viewer'), { id })
  } catch (error) {
    if (!(error instanceof HearthError)) throw error
    return respondText(response, error.code === 'unauthorized' ? 401 : 404, `${error.userMessage}\n`)
  }
  const vm = await db.vm.findFirst({ where: { id, deletedAt: null } })
  const asked = Number(url.searchParams.get('width') ?? widths.default)
  const width = Number.isInteger(asked) && asked > 0 ? Math.min(asked, widths.most) : widths.default
  const picture = vm
    ? await agents
        .screenPicture(vm.hostId, vm.vmUid, { width, ifNoneMatch: request.headers['if-none-match'] })
        .catch((error: unknown) => {
          log.warn('a host gave no picture of a screen', { vmUid: vm.vmUid, error: errorText(error) })
          return new Response(null, { status: 503 })
        })
    : undefined
  if (picture?.status === 304) {
    response.writeHead(304, headersOf(picture)).end()
    return
  }
  // Its host or its monitor has too much to do: what was seen last is still the best there is.
  if (picture?.status === 503)
    return respondText(response, 503, 'It is too busy to show a picture. Ask again.\n')
  // A VM without a screen, one that just ended and a host that is away: there is nothing to see.
  if (picture?.status !== 200) return respondText(response, 404, 'There is no picture of it now.\n')
  response.writeHead(200, { ...headersOf(picture), 'content-type': 'image/jpeg' })
  response.end(Buffer.from(await picture.arrayBuffer()))
}

function headersOf(picture: Response): Record<string, string> {
  const etag = picture.headers.get('etag')
  return { 'cache-control': 'private, no-cache', ...(etag === null ? {} : { etag }) }
}
