/** Without the letters and digits people mistake for one another (l, I, 1, O, 0): it may be typed at a console. */
const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** A password of four groups, about 93 bits, that can be read aloud. */
export function generatePassword(
  randomBytes: (length: number) => Uint8Array = (length) => crypto.getRandomValues(new Uint8Array(length)),
): string {
  const limit = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < 16) {
    // Rejection keeps every letter equally likely.
    for (const byte of randomBytes(32)) {
      if (byte < limit && text.length < 16) text += alphabet[byte % alphabet.length]
    }
  }
  return text.replace(/(.{4})(?=.)/g, '$1-')
}

export type Strength = 0 | 1 | 2 | 3
export const minPasswordLength = 10

/** An honest, rough hint: 0 refused (too short), 1 weak, 2 fair, 3 good. Length counts most. */
export function passwordStrength(password: string): Strength {
  if (password.length < minPasswordLength) return 0
  const distinct = new Set(password).size
  if (distinct < 5 || /^(?:password|qwerty|12345)/i.test(password)) return 1
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((kind) => kind.test(password)).length
  const score = password.length + kinds * 2 + Math.min(distinct, 12)
  return score >= 30 ? 3 : score >= 23 ? 2 : 1
}
