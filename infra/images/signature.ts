/** Signed lists of checksums: OpenPGP, against the publisher's key, which is kept as data in `keys/`. */
import { createMessage, readCleartextMessage, readKey, readSignature, verify } from 'openpgp'
import { BuildError } from '../recipes/build-error.ts'

/** A publisher's key. The fingerprint decides: a key file that was exchanged is no key. */
export interface SigningKey {
  /** ASCII armour. */
  readonly armored: string
  /** 40 hexadecimal digits (OpenPGP version 4). */
  readonly fingerprint: string
}

/**
 * The text that the key has signed: with `signature` (ASCII armour) all of `text`, without one what is inside of the
 * clear-signed `text`. Throws a BuildError for anything else, and then nothing of it may be used.
 */
export async function signedText(
  text: string,
  signature: string | null,
  { armored, fingerprint }: SigningKey,
  name: string,
): Promise<string> {
  const key = await readKey({ armoredKey: armored })
  if (key.getFingerprint().toLowerCase() !== fingerprint.toLowerCase())
    throw new BuildError(`The kept key for ${name} is not the one that is meant. Install Hearth again.`)
  const common = { verificationKeys: key, expectSigned: true } as const
  try {
    if (signature === null) {
      const message = await readCleartextMessage({ cleartextMessage: text })
      return (await verify({ ...common, message })).data
    }
    // All of its bytes: a line's end belongs to what was signed.
    const message = await createMessage({ binary: Buffer.from(text, 'utf8') })
    await verify({
      ...common,
      message,
      signature: await readSignature({ armoredSignature: signature }),
      format: 'binary',
    })
    return text
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new BuildError(
      `${name} is not signed by its publisher, so nothing that it says is believed (${why}). Try again later; if it stays so, ask the publisher.`,
    )
  }
}
