import type { Role } from '../views/session.ts'
import type { TokenScope } from '../views/token.ts'

/** Whoever asks, once it is known who it is. Services take one; adapters (tRPC, REST) make one. */
export interface Viewer {
  readonly userId: string
  readonly name: string
  readonly email: string
  readonly role: Role
  /** The session the request came with; null for an API token. */
  readonly sessionId: string | null
  /** The API token the request came with; null for a person in the portal. */
  readonly token: {
    readonly id: number
    readonly name: string
    readonly scope: TokenScope
    /** The one project it acts in. */
    readonly projectId: number
  } | null
  /** When they last showed that it is them, by signing in or by their password; null for an API token. */
  readonly confirmedAt: Date | null
  /** Address the request came from. */
  readonly from: string
}

/** How long after showing that it is them somebody may do dangerous things. */
const confirmedForMs = 15 * 60_000

export function isConfirmed(at: Date | null): boolean {
  return at !== null && Date.now() - at.getTime() < confirmedForMs
}
