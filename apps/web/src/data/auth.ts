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

/** `confirm`: it is done only after one has shown again that it is oneself. */
export type AuthResult = 'ok' | 'wrong' | 'too_many' | 'unreachable' | 'confirm'

async function codeOf(response: Response): Promise<unknown> {
  const body: unknown = await response.json().catch(() => null)
  return (body as { code?: unknown } | null)?.code
}

async function attempt(request: () => Promise<Response>): Promise<AuthResult> {
  try {
    const response = await request()
    if (response.ok) return 'ok'
    if (response.status === 429) return 'too_many'
    if (response.status === 403 && (await codeOf(response)) === 'CONFIRM_IDENTITY') return 'confirm'
    return response.status >= 500 ? 'unreachable' : 'wrong'
  } catch {
    return 'unreachable'
  }
}

/** `code_needed`: the password is right, and a second factor is asked for. */
export async function signIn(email: string, password: string): Promise<AuthResult | 'code_needed'> {
  let answer: Response | undefined
  const result = await attempt(async () => {
    answer = await post('sign-in/email', { email, password, rememberMe: true })
    return answer
  })
  if (result !== 'ok') return result
  const body = (await answer?.json().catch(() => null)) as { twoFactorRedirect?: boolean } | null
  if (body?.twoFactorRedirect) return 'code_needed'
  renewLive()
  return 'ok'
}

/** The second factor, after the password. */
export async function signInWithCode(code: string, kind: 'app' | 'recovery'): Promise<AuthResult> {
  const path = kind === 'app' ? 'two-factor/verify-totp' : 'two-factor/verify-backup-code'
  const result = await attempt(() => post(path, { code }))
  if (result === 'ok') renewLive()
  return result
}

export async function signInWithPasskey(): Promise<AuthResult> {
  try {
    const { startAuthentication } = await import('@simplewebauthn/browser')
    const optionsJSON = await get<Parameters<typeof startAuthentication>[0]['optionsJSON']>(
      'passkey/generate-authenticate-options',
    )
    const response = await startAuthentication({ optionsJSON })
    const result = await attempt(() => post('passkey/verify-authentication', { response }))
    if (result === 'ok') renewLive()
    return result
  } catch {
    // The person, or the device, said no; or the portal did not answer what it was asked.
    return 'wrong'
  }
}

/** Leaves for the home's identity provider, which leads back to `next`. */
export async function signInElsewhere(next: string): Promise<AuthResult> {
  let answer: Response | undefined
  const result = await attempt(async () => {
    answer = await post('sign-in/social', {
      provider: 'oidc',
      callbackURL: next,
      errorCallbackURL: '/sign-in?problem=elsewhere',
    })
    return answer
  })
  if (result !== 'ok' || !answer) return result
  const { url } = (await answer.json()) as { url: string }
  window.location.assign(url)
  return 'ok'
}

export interface TwoFactorSetup {
  uri: string
  codes: string[]
}

/** Begins: nothing is asked for at sign-in before a first code was given. */
export async function beginTwoFactor(password: string): Promise<TwoFactorSetup | AuthResult> {
  let answer: Response | undefined
  const result = await attempt(async () => {
    answer = await post('two-factor/enable', { password })
    return answer
  })
  if (result !== 'ok' || !answer) return result
  const { totpURI, backupCodes } = (await answer.json()) as { totpURI: string; backupCodes: string[] }
  return { uri: totpURI, codes: backupCodes }
}

export async function finishTwoFactor(code: string): Promise<AuthResult> {
  const result = await attempt(() => post('two-factor/verify-totp', { code }))
  // The session has a new cookie.
  if (result === 'ok') renewLive()
  return result
}

export async function endTwoFactor(password: string): Promise<AuthResult> {
  const result = await attempt(() => post('two-factor/disable', { password }))
  if (result === 'ok') renewLive()
  return result
}

export async function newRecoveryCodes(password: string): Promise<string[] | AuthResult> {
  let answer: Response | undefined
  const result = await attempt(async () => {
    answer = await post('two-factor/generate-backup-codes', { password })
    return answer
  })
  if (result !== 'ok' || !answer) return result
  return ((await answer.json()) as { backupCodes: string[] }).backupCodes
}

export interface PasskeyInfo {
  id: string
  name: string | null
  createdAt: string | null
}

export function listPasskeys(): Promise<PasskeyInfo[]> {
  return get<PasskeyInfo[]>('passkey/list-user-passkeys')
}

export async function addPasskey(name: string): Promise<AuthResult> {
  let options: Response | undefined
  const asked = await attempt(async () => {
    options = await fetch('/api/auth/passkey/generate-register-options', { credentials: 'same-origin' })
    return options
  })
  if (asked !== 'ok' || !options) return asked
  try {
    const { startRegistration } = await import('@simplewebauthn/browser')
    const optionsJSON = (await options.json()) as Parameters<typeof startRegistration>[0]['optionsJSON']
    const response = await startRegistration({ optionsJSON })
    return await attempt(() => post('passkey/verify-registration', { response, name }))
  } catch {
    return 'wrong'
  }
}

export function removePasskey(id: string): Promise<AuthResult> {
  return attempt(() => post('passkey/delete-passkey', { id }))
}

export function signOutSession(token: string): Promise<AuthResult> {
  return attempt(() => post('revoke-session', { token }))
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
  /** Names the session when it is to be ended. */
  token: string
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
    token: session.token,
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
