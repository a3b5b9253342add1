/** The bearer token every request carries. Compared in constant time, whatever its length. */
import { createHash, timingSafeEqual } from 'node:crypto'

export function isAuthorized(header: string | undefined, token: string): boolean {
  const given = /^Bearer (\S+)$/i.exec(header ?? '')?.[1] ?? ''
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}
