/**
 * Which names this portal answers to, and which pages may talk to it. Two checks together: the Host must be one of
 * our names (a foreign name that resolves to us is DNS rebinding), and an Origin must be that very host (another
 * site, or another port of this machine, is someone else; ports do not separate cookies).
 */
import type { IncomingHttpHeaders } from 'node:http'
import net from 'node:net'

export interface PortalNames {
  readonly tls: boolean
  /** The name in the certificate, if the portal has one. */
  readonly hostname: string | null
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** The origin these headers were sent to, e.g. `https://hearth.lan:8080`; undefined when it is none of ours. */
export function ownOrigin(names: PortalNames, headers: IncomingHttpHeaders): string | undefined {
  const { host } = headers
  if (!host) return undefined
  const scheme = names.tls ? 'https' : 'http'
  const url = URL.parse(`${scheme}://${host}`)
  if (url?.pathname !== '/' || url.username !== '') return undefined
  const { hostname } = url
  // An address cannot be rebound; over TLS the certificate decides whether it is ours.
  const isAddress = net.isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
  const ours =
    loopback.has(hostname) || hostname === names.hostname?.toLowerCase() || (names.tls && isAddress)
  return ours ? url.origin : undefined
}

/** Whether a page that sends these headers is one of ours. Without an Origin it is no browser's cross-site call. */
export function isOwnPage(names: PortalNames, headers: IncomingHttpHeaders): boolean {
  const own = ownOrigin(names, headers)
  return own !== undefined && headers.origin === own
}
