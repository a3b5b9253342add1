import { renewLive } from './live.ts'

/** Sign-in and all that belongs to credentials go by plain requests: only those can set the session's cookie. */
async function post(path: string, body: unknown): Promise<Response> {
  return fetch(`/api/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    credentials: 'same-origin',
  })
}

export type AuthResult = 'ok' | 'wrong' | 'too_many' | 'unreachable'

async function attempt(request: () => Promise<Response>): Promise<AuthResult> {
  try {
    const response = await request()
    if (response.ok) return 'ok'
    if (response.status === 429) return 'too_many'
    return response.status >= 500 ? 'unreachable' : 'wrong'
  } catch {
    return 'unreachable'
  }
}

export async function signIn(email: string, password: string): Promise<AuthResult> {
  const result = await attempt(() => post('sign-in/email', { email, password, rememberMe: true }))
  if (result === 'ok') renewLive()
  return result
}

export async function signOut(): Promise<AuthResult> {
  const result = await attempt(() => post('sign-out', {}))
  if (result === 'ok') renewLive()
  return result
}

export function changePassword(currentPassword: string, newPassword: string): Promise<AuthResult> {
  return attempt(() => post('change-password', { currentPassword, newPassword, revokeOtherSessions: true }))
}

export function changeName(name: string): Promise<AuthResult> {
  return attempt(() => post('update-user', { name }))
}

export interface DeviceSession {
  id: string
  current: boolean
  userAgent: string | null
  address: string | null
  createdAt: string
  updatedAt: string
}

interface WireSession {
  id: string
  token: string
  userAgent?: string | null
  ipAddress?: string | null
  createdAt: string
  updatedAt: string
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`/api/auth/${path}`, { credentials: 'same-origin' })
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`)
  return (await response.json()) as T
}

export async function listSessions(): Promise<DeviceSession[]> {
  const [sessions, own] = await Promise.all([
    get<WireSession[]>('list-sessions'),
    get<{ session: { id: string } } | null>('get-session'),
  ])
  return sessions.map((session) => ({
    id: session.id,
    current: session.id === own?.session.id,
    userAgent: session.userAgent ?? null,
    address: session.ipAddress ?? null,
    createdAt: session.createdAt,
    updatedAt: session.updatedAt,
  }))
}

export function signOutOthers(): Promise<AuthResult> {
  return attempt(() => post('revoke-other-sessions', {}))
}
