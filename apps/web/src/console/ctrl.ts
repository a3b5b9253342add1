/** What a terminal sends for a character typed with Ctrl (ECMA-48 control characters); the rest stays as it is. */
export function withCtrl(text: string): string {
  if (text.length !== 1) return text
  if (text === ' ') return '\0'
  if (text === '?') return '\x7f'
  const code = text.toUpperCase().charCodeAt(0)
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : text
}
