/**
 * What a backup disk's files are written with: as they are, or encrypted with a key that only this box and whoever wrote
 * it down have. Encrypted, a piece is 16 random bytes and AES-256-CTR of what it holds; its name is an HMAC of its
 * content instead of a hash, so that nobody without the key can tell whether a known file is among them, and reading
 * compares it. What describes a backup (the VM's name, its specification with its login) is encrypted and signed.
 */
import { createHmac, randomBytes, subtle, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

export interface Vault {
  readonly encrypted: boolean
  /** Of a piece's file. */
  readonly suffix: string
  /** What a piece of that content is called: 64 hexadecimal digits. */
  name(content: Buffer<ArrayBuffer>): Promise<string>
  seal(data: Buffer<ArrayBuffer>): Promise<Buffer>
  open(data: Buffer<ArrayBuffer>): Promise<Buffer>
  /** The same for what is JSON, in a form that is JSON. `openJson` throws when it was changed. */
  sealJson(value: unknown): Promise<unknown>
  openJson(value: unknown): Promise<unknown>
}

const hex = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('hex')

export const plainVault: Vault = {
  encrypted: false,
  suffix: '.zst',
  name: async (content) => hex(await subtle.digest('SHA-256', content)),
  seal: async (data) => data,
  open: async (data) => data,
  sealJson: async (value) => value,
  openJson: async (value) => value,
}

const ivBytes = 16
const sealedSchema = z.object({ v: z.literal(1), sealed: z.base64(), mac: z.string() })

/** `key`: 64 hexadecimal digits. */
export function encryptedVault(key: string): Vault {
  const secret = Buffer.from(key, 'hex')
  const signing = createHmac('sha256', secret).update('hearth backup names').digest()
  const hmac = { name: 'HMAC', hash: 'SHA-256' } as const
  // Of the thread pool: megabytes are signed and encrypted while the agent goes on.
  const cipherKey = subtle.importKey('raw', secret, 'AES-CTR', false, ['encrypt', 'decrypt'])
  const signingKey = subtle.importKey('raw', signing, hmac, false, ['sign'])
  const aes = (counter: Buffer<ArrayBuffer>) => ({ name: 'AES-CTR', counter, length: 128 }) as const
  const seal = async (data: Buffer<ArrayBuffer>): Promise<Buffer> => {
    const iv = randomBytes(ivBytes)
    return Buffer.concat([iv, Buffer.from(await subtle.encrypt(aes(iv), await cipherKey, data))])
  }
  const open = async (data: Buffer<ArrayBuffer>): Promise<Buffer> =>
    Buffer.from(await subtle.decrypt(aes(data.subarray(0, ivBytes)), await cipherKey, data.subarray(ivBytes)))
  const macOf = (sealed: Buffer) => createHmac('sha256', signing).update(sealed).digest('hex')
  return {
    encrypted: true,
    suffix: '.zst.enc',
    name: async (content) => hex(await subtle.sign(hmac, await signingKey, content)),
    seal,
    open,
    async sealJson(value) {
      const sealed = await seal(Buffer.from(JSON.stringify(value)))
      return { v: 1, sealed: sealed.toString('base64'), mac: macOf(sealed) }
    },
    async openJson(value) {
      const { sealed, mac } = sealedSchema.parse(value)
      const data = Buffer.from(sealed, 'base64')
      if (!isSame(macOf(data), mac)) throw new Error('it was changed, or is of another key')
      return JSON.parse((await open(data)).toString()) as unknown
    },
  }
}

/** Kept beside the backups: tells the right key from a wrong one, and nothing of it. */
export function checkOf(key: string, targetUid: string): string {
  return createHmac('sha256', Buffer.from(key, 'hex')).update(`hearth backups ${targetUid}`).digest('hex')
}

export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
