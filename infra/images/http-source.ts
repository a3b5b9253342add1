/** One GET of a file elsewhere: redirects followed by hand, so that each hop is checked like the first. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { BuildError } from '../recipes/build-error.ts'
import { parseAddress, publicLookup } from './address-rules.ts'

export interface FetchRules {
  /** Whether addresses of the own network may be asked. */
  readonly allowPrivate: boolean
  /** Whether a redirect may lead from https to http: only where a checksum came by https. */
  readonly allowDowngrade: boolean
}

const maxRedirects = 8
/** A server that is silent for this long is taken for gone. */
const silenceMs = 30_000

export interface Answer {
  readonly response: IncomingMessage
  /** Where it came from after all redirects. */
  readonly url: URL
}

/** What was fetched up to then stays. */
export function unreachable(address: string, why: string): BuildError {
  return new BuildError(
    `${new URL(address).host} cannot be reached (${why}). What is here already is kept: try again and it goes on from there.`,
  )
}

/** The answer with its body still to be read. Rejects with a BuildError for what another try would not change. */
export async function get(
  address: string,
  rules: FetchRules,
  options: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Answer> {
  let url = parseAddress(address, rules)
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await open(url, rules, options)
    const { statusCode = 0, headers } = response
    if (![301, 302, 303, 307, 308].includes(statusCode)) return { response, url }
    response.destroy()
    const next = headers.location === undefined ? null : URL.parse(headers.location, url)
    if (!next) throw new BuildError(`${url.host} redirects without saying where to.`)
    if (url.protocol === 'https:' && next.protocol !== 'https:' && !rules.allowDowngrade)
      throw new BuildError(
        `${url.host} redirects to an address without encryption. Give the checksum of the file too, or another address.`,
      )
    url = parseAddress(next.href, rules)
  }
  throw new BuildError(`${new URL(address).host} redirects in circles. Look at the address.`)
}

/** A small text file, such as a list of checksums. */
export async function getText(
  address: string,
  rules: FetchRules,
  options: { maxBytes: number; signal?: AbortSignal },
): Promise<string> {
  const { response } = await get(address, rules, options.signal ? { signal: options.signal } : {})
  if (response.statusCode !== 200) {
    response.destroy()
    throw new BuildError(`${address} cannot be read: the server answered ${response.statusCode}.`)
  }
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    text += chunk as string
    if (text.length > options.maxBytes)
      throw new BuildError(`${address} is not a list of checksums: too long.`)
  }
  return text
}

function open(
  url: URL,
  rules: FetchRules,
  options: { headers?: Record<string, string>; signal?: AbortSignal },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const ask = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = ask(url, {
      // Bytes are counted and continued: they must be the file's own.
      headers: { 'accept-encoding': 'identity', 'user-agent': 'Hearth', ...options.headers },
      agent: false,
      timeout: silenceMs,
      ...(rules.allowPrivate ? {} : { lookup: publicLookup }),
      ...(options.signal ? { signal: options.signal } : {}),
    })
    request.once('response', resolve)
    request.on('error', reject)
    request.once('timeout', () => request.destroy(new Error(`${url.host} does not answer`)))
    request.end()
  })
}
