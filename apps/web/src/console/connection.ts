/**
 * The life of a console's connection as a pure function: no socket, no timer, no DOM. The component that
 * owns those reads the state, does what it asks for, and tells back what happened.
 */

/** Why the console is not connected although it wants to be. */
export type WaitReason = 'host_away' | 'portal_away' | 'interrupted' | 'crowded'
/** `no_screen`: the VM runs, and this run has none. */
export type EndReason = 'not_found' | 'forbidden' | 'signed_out' | 'no_screen'

export type ConnectionState =
  /** Ask the portal for a ticket. */
  | { at: 'opening'; attempt: number }
  /** Open the socket at `url`; the ticket in it works once. */
  | { at: 'connecting'; attempt: number; url: string }
  | { at: 'live' }
  /** Try again at `retryAt` (ms since the epoch), or sooner when what it waits for is back. */
  | { at: 'waiting'; reason: WaitReason; attempt: number; retryAt: number }
  /** The VM does not run; its last output stays on screen. Goes on by itself when the VM starts. */
  | { at: 'stopped' }
  /** Nothing more will come here. */
  | { at: 'ended'; reason: EndReason }

export type ConnectionEvent =
  | { type: 'ticket'; url: string }
  | { type: 'ticket_refused'; code: string }
  | { type: 'socket_open' }
  | { type: 'not_running' }
  | { type: 'socket_closed'; code: number }
  | { type: 'retry' }
  | { type: 'vm'; running: boolean; hostAway: boolean }
  | { type: 'portal_back' }
  /** The VM runs with a screen now. */
  | { type: 'screen_there' }

export const initialConnection: ConnectionState = { at: 'opening', attempt: 0 }

/** 0.5 s, doubling to 10 s, each up to a fifth longer so that many tabs do not knock at once. */
export function backoff(attempt: number, random: () => number): number {
  return Math.round(Math.min(500 * 2 ** attempt, 10_000) * (1 + random() * 0.2))
}

export function advance(
  state: ConnectionState,
  event: ConnectionEvent,
  now: number,
  random: () => number = Math.random,
): ConnectionState {
  if (state.at === 'ended') {
    const again = state.reason === 'no_screen' && event.type === 'screen_there'
    return again ? { at: 'opening', attempt: 0 } : state
  }
  const attempt = 'attempt' in state ? state.attempt : 0
  const wait = (reason: WaitReason): ConnectionState => ({
    at: 'waiting',
    reason,
    attempt: attempt + 1,
    retryAt: now + backoff(attempt, random),
  })

  switch (event.type) {
    case 'ticket':
      return state.at === 'opening' ? { at: 'connecting', attempt, url: event.url } : state
    case 'ticket_refused':
      if (state.at !== 'opening') return state
      switch (event.code) {
        case 'not_found':
        case 'forbidden':
          return { at: 'ended', reason: event.code }
        case 'unauthorized':
          return { at: 'ended', reason: 'signed_out' }
        case 'invalid_state':
          return { at: 'stopped' }
        case 'host_unavailable':
          return wait('host_away')
        default:
          return wait('portal_away')
      }
    case 'socket_open':
      return state.at === 'connecting' ? { at: 'live' } : state
    case 'not_running':
      return state.at === 'live' || state.at === 'connecting' ? { at: 'stopped' } : state
    case 'socket_closed':
      if (state.at !== 'live' && state.at !== 'connecting') return state
      switch (event.code) {
        case 4404:
          return { at: 'ended', reason: 'not_found' }
        case 4409:
          return { at: 'stopped' }
        case 4410:
          return { at: 'ended', reason: 'no_screen' }
        case 4503:
          return wait('host_away')
        case 1001:
        case 1012:
          return wait('portal_away')
        case 1013:
          return wait('crowded')
        default:
          // Also a ticket that grew old (4401): a new one is asked for, which tells whether the session has ended.
          return wait('interrupted')
      }
    case 'retry':
      return state.at === 'waiting' ? { at: 'opening', attempt } : state
    case 'screen_there':
      return state
    case 'portal_back':
      return state.at === 'waiting' && state.reason !== 'host_away' ? { at: 'opening', attempt: 0 } : state
    case 'vm':
      if (state.at === 'stopped' && event.running && !event.hostAway) return { at: 'opening', attempt: 0 }
      if (state.at === 'waiting') {
        if (event.hostAway && state.reason !== 'host_away') return { ...state, reason: 'host_away' }
        if (!event.hostAway && state.reason === 'host_away') return { at: 'opening', attempt: 0 }
        if (!event.hostAway && !event.running) return { at: 'stopped' }
      }
      return state
  }
}
