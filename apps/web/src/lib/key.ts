/** A key for one intent, so that sending it twice does it once. `randomUUID` needs a secure context; this does not. */
export function intentKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
