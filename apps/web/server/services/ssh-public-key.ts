/** Public keys in OpenSSH's one-line form (sshd(8), AUTHORIZED_KEYS): checked down to the blob they carry. */
import { createHash } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'

export interface SshPublicKey {
  type: string
  comment: string
  /** `type base64 comment`, one space each, no options. */
  line: string
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  fingerprint: string
}

const types = new Set([
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
])

const invalid = (message: string) => new HearthError('invalid_input', message)

export function parseSshPublicKey(text: string): SshPublicKey {
  const trimmed = text.trim()
  if (trimmed === '') throw invalid('Paste a public SSH key.')
  if (trimmed.includes('PRIVATE KEY'))
    throw invalid(
      'That is a private key. Keep it to yourself and paste the public one (the file ending in .pub).',
    )
  if (/[\r\n]/.test(trimmed)) throw invalid('Paste one key at a time: a public key is a single line.')
  const [type = '', data = '', ...rest] = trimmed.split(/[ \t]+/)
  if (!types.has(type))
    throw invalid('That is not a public SSH key: it begins with ssh-ed25519, ssh-rsa or ecdsa-sha2-….')
  const comment = rest.join(' ')
  if (/\p{Cc}/u.test(comment)) throw invalid('The key’s comment holds control characters.')
  const blob = Buffer.from(data, 'base64')
  // Buffer ignores what is not base64; written back it must be the same.
  const clean = blob.toString('base64').replace(/=+$/, '') === data.replace(/=+$/, '')
  if (!clean || !wellFormed(blob, type))
    throw invalid('The key is damaged or cut short. Copy the whole line again.')
  const line = comment ? `${type} ${data} ${comment}` : `${type} ${data}`
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
  return { type, comment, line, fingerprint: `SHA256:${digest}` }
}

/** The blob is a row of RFC 4251 strings that fills it exactly; the first one is the type. */
function wellFormed(blob: Buffer, type: string): boolean {
  const parts: Buffer[] = []
  for (let at = 0; at < blob.length; ) {
    if (at + 4 > blob.length) return false
    const length = blob.readUInt32BE(at)
    if (at + 4 + length > blob.length) return false
    parts.push(blob.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  if (parts[0]?.toString('latin1') !== type) return false
  if (type === 'ssh-ed25519') return parts.length === 2 && parts[1]?.length === 32
  // e, n: below 1024 bits no sshd accepts it.
  if (type === 'ssh-rsa') return parts.length === 3 && (parts[2]?.length ?? 0) >= 128
  return parts.length >= 3
}
