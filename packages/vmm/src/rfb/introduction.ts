/**
 * The line by which whoever opened the socket says who a viewer is (`viewerIntroductionSchema` in
 * packages/shared/src/vmm-control.ts), parsed by hand for the same reason as the control protocol: no schema
 * library in every VM's process.
 */
import type { ViewerIntroduction } from '@hearth/shared/vmm-control'
import type { ByteReader } from './byte-reader.ts'
import { RfbProtocolError } from './client-messages.ts'

const PREFIX = 'HEARTH '
const MAX_LINE = 1024
const MAX_ID = 64
const MAX_NAME = 80

/**
 * Takes an introduction off the beginning of a connection: undefined when more bytes are needed, null when the
 * viewer begins with RFB itself. Throws RfbProtocolError when it begins one and it is not right.
 */
export function takeIntroduction(reader: ByteReader): ViewerIntroduction | null | undefined {
  if (reader.available === 0) return undefined
  if (reader.u8(0) !== PREFIX.charCodeAt(0)) return null
  const head = Buffer.from(reader.slice(0, Math.min(reader.available, MAX_LINE)))
  const end = head.indexOf(0x0a)
  if (end < 0) {
    if (head.length === MAX_LINE) throw new RfbProtocolError('bad-introduction', 'it has no end')
    return undefined
  }
  const line = head.toString('utf8', 0, end)
  reader.skip(end + 1)
  if (!line.startsWith(PREFIX)) throw new RfbProtocolError('bad-introduction')
  let value: unknown
  try {
    value = JSON.parse(line.slice(PREFIX.length))
  } catch {
    throw new RfbProtocolError('bad-introduction', 'no JSON')
  }
  const { id, name, input } = (value ?? {}) as Partial<Record<keyof ViewerIntroduction, unknown>>
  const valid =
    typeof id === 'string' &&
    id.length > 0 &&
    id.length <= MAX_ID &&
    typeof name === 'string' &&
    name.length <= MAX_NAME &&
    typeof input === 'boolean'
  if (!valid) throw new RfbProtocolError('bad-introduction', 'id, name or input')
  return { id, name, input }
}
