/** A key of 256 random bits, in groups that people can compare and copy from paper. */
export function newRecoveryKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return digits.replace(/.{8}(?!$)/g, '$&-')
}
