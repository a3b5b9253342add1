/** Reading an OpenSSH public key as people paste it. The server checks again; this one helps while typing. */

const types = new Set([
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
])

export type SshKeyProblem = 'empty' | 'private' | 'several' | 'type' | 'damaged'
export type ParsedSshKey =
  | { ok: true; type: string; comment: string; line: string }
  | { ok: false; problem: SshKeyProblem }

export function parseSshPublicKey(text: string): ParsedSshKey {
  const trimmed = text.trim()
  if (!trimmed) return { ok: false, problem: 'empty' }
  if (/PRIVATE KEY/.test(trimmed)) return { ok: false, problem: 'private' }
  if (trimmed.split(/\r?\n/).filter((line) => line.trim()).length > 1)
    return { ok: false, problem: 'several' }
  const [type = '', data = '', ...rest] = trimmed.split(/\s+/)
  if (!types.has(type)) return { ok: false, problem: 'type' }
  if (embeddedType(data) !== type) return { ok: false, problem: 'damaged' }
  const comment = rest.join(' ')
  return { ok: true, type, comment, line: comment ? `${type} ${data} ${comment}` : `${type} ${data}` }
}

/** The blob begins with its own type as an RFC 4251 string; a key cut short or mixed up fails here. */
function embeddedType(base64: string): string | undefined {
  try {
    const blob = atob(base64)
    if (blob.length < 36) return undefined
    const length =
      (blob.charCodeAt(0) << 24) | (blob.charCodeAt(1) << 16) | (blob.charCodeAt(2) << 8) | blob.charCodeAt(3)
    return blob.slice(4, 4 + length)
  } catch {
    return undefined
  }
}
