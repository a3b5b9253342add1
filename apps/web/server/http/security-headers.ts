import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** On every answer. */
export function setCommonHeaders(response: ServerResponse): void {
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('x-frame-options', 'DENY')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  response.setHeader('cross-origin-resource-policy', 'same-origin')
  response.setHeader('permissions-policy', 'camera=(), microphone=(), geolocation=(), payment=(), usb=()')
}

/**
 * On pages. Next writes its data into the page as inline scripts; it reads the nonce from the *request's* policy
 * header and puts it on them (the root layout makes every page one that is rendered for its request). Styles stay
 * inline because xterm.js and the positioning of menus write style elements and attributes.
 */
export function setPagePolicy(
  request: IncomingMessage,
  response: ServerResponse,
  development: boolean,
): void {
  const nonce = randomBytes(16).toString('base64')
  const policy = [
    "default-src 'self'",
    // Next's development server compiles with eval.
    development
      ? "script-src 'self' 'unsafe-inline' 'unsafe-eval'"
      : `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    // Not every browser counts WebSockets of the same host as 'self'.
    `connect-src 'self' ${webSocketSource(request)}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-src 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  request.headers['content-security-policy'] = policy
  response.setHeader('content-security-policy', policy)
}

function webSocketSource(request: IncomingMessage): string {
  const encrypted = 'encrypted' in request.socket
  // The host name was checked to be one of ours before it gets here.
  return `${encrypted ? 'wss' : 'ws'}://${request.headers.host ?? ''}`
}
