import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import {
  createTRPCClient,
  createWSClient,
  type TRPCClient,
  type TRPCLink,
  type TRPCWebSocketClient,
  wsLink,
} from '@trpc/client'
import { observable } from '@trpc/server/observable'

import { inWords, sentencesComing } from '../messages/said.ts'

import { errorCode, quotaRefusal } from './errors.ts'
import { tellQuotaRefusal } from './quota-refusals.ts'

import type { AppRouter } from './trpc.ts'

export type PortalLink = 'connecting' | 'up' | 'down'

/** One socket, its client and its cache. */
export interface Live {
  readonly trpc: TRPCClient<AppRouter>
  readonly queries: QueryClient
  readonly socket: TRPCWebSocketClient
  readonly generation: number
}

let current: Live | undefined
let link: PortalLink = 'connecting'
const listeners = new Set<() => void>()

function tell(): void {
  for (const listener of listeners) listener()
}

function setLink(next: PortalLink): void {
  if (next === link) return
  link = next
  tell()
}

/** The server speaks English; what it says of states, steps and refusals is put into the reader's language here. */
const inReadersWords: TRPCLink<AppRouter> =
  () =>
  ({ op, next }) =>
    observable((observer) =>
      next(op).subscribe({
        next: (value) =>
          onceInWords(() => {
            const { result } = value
            const spoken =
              result.type === undefined || result.type === 'data'
                ? { ...value, result: { ...result, data: inWords(result.data) } }
                : value
            observer.next(spoken)
          }),
        error: (error) =>
          onceInWords(() => {
            if (error.shape) Object.assign(error, { data: inWords(error.data) })
            observer.error(error)
          }),
        complete: () => onceInWords(() => observer.complete()),
      }),
    )

/** The first answers wait for the translations; all keep their order. */
function onceInWords(pass: () => void): void {
  const coming = sentencesComing()
  if (coming) void coming.then(pass)
  else pass()
}

function open(generation: number): Live {
  const inBrowser = typeof window !== 'undefined'
  const socket = createWSClient({
    url: () => `${window.location.protocol === 'https:' ? 'wss' : 'ws'}://${window.location.host}/trpc`,
    retryDelayMs: (attempt) => (attempt === 0 ? 0 : Math.min(400 * 2 ** (attempt - 1), 8000)),
    // The server renders with the same tree, but a page's data is the browser's business.
    lazy: { enabled: !inBrowser, closeMs: 1000 },
    keepAlive: { enabled: true, intervalMs: 20_000, pongTimeoutMs: 10_000 },
    onOpen: () => current?.generation === generation && setLink('up'),
    onClose: () => current?.generation === generation && setLink('down'),
    onError: () => current?.generation === generation && setLink('down'),
  })
  const trpc = createTRPCClient<AppRouter>({
    links: [inReadersWords, wsLink({ client: socket })],
  })
  // A session that ended elsewhere is noticed by whatever is asked next; asking who one is leads to sign-in.
  const onError = (error: unknown) => {
    if (errorCode(error) === 'unauthorized')
      void queries.invalidateQueries({ queryKey: [['session', 'get']] })
  }
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({
      onError(error, _input, _result, mutation) {
        onError(error)
        if (quotaRefusal(error) && !mutation.meta?.quotaInline) tellQuotaRefusal(error)
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        refetchOnWindowFocus: false,
        // The socket comes back by itself and asks again; a refusal stays one.
        retry: (count, error) => errorCode(error) === undefined && count < 60,
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4000),
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
  return { trpc, queries, socket, generation }
}

export function getLive(): Live {
  // On the server each render has its own, so that no person's data is ever shared.
  if (typeof window === 'undefined') return open(0)
  current ??= open(0)
  return current
}

/** After signing in or out: a socket keeps the cookie it was opened with, and the cache belongs to a person. */
export function renewLive(): void {
  const old = current
  current = open((old?.generation ?? 0) + 1)
  link = 'connecting'
  tell()
  old?.queries.clear()
  void old?.socket.close()
}

export function subscribeLive(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const getLink = (): PortalLink => link
