import { currentLanguage, type Language } from './language.ts'

/** What the server says, by language; English is what it says itself. */
const sentences: Readonly<Record<Exclude<Language, 'en'>, Readonly<Record<string, string>>>> = {
  de:
    typeof window === 'undefined' || currentLanguage() === 'de'
      ? (await import('./de/server.ts')).server
      : {},
}

interface Compiled {
  whole: ReadonlyMap<string, string>
  patterns: readonly { matches: RegExp; parts: readonly string[] }[]
}
const compiled = new Map<Language, Compiled>()

function compile(language: Exclude<Language, 'en'>): Compiled {
  const known = compiled.get(language)
  if (known) return known
  const entries = Object.entries(sentences[language])
  const made: Compiled = {
    whole: new Map(entries.filter(([text]) => !text.includes('{}'))),
    patterns: entries
      .filter(([text]) => text.includes('{}'))
      .map(([text, translated]) => ({
        matches: new RegExp(`^${text.split('{}').map(literally).join('(.+?)')}$`, 's'),
        parts: translated.split('{}'),
      })),
  }
  compiled.set(language, made)
  return made
}

const literally = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A sentence of the server in the reader's language; as it came when there is no other. */
export function said(text: string, language = currentLanguage()): string {
  if (language === 'en') return text
  const { whole, patterns } = compile(language)
  const exact = whole.get(text)
  if (exact !== undefined) return exact
  for (const { matches, parts } of patterns) {
    const found = matches.exec(text)
    if (found)
      return parts
        .map((part, index) => part + (index < parts.length - 1 ? (found[index + 1] ?? '') : ''))
        .join('')
  }
  return text
}

/** Where answers hold sentences of the server. What people wrote themselves stands under other names. */
const spoken = new Set([
  'why',
  'message',
  'step',
  'summary',
  'stateReason',
  'exitReason',
  'errorMessage',
  'error',
])

/** The same answer with its sentences in the reader's language. What does not change is kept as it is. */
export function inWords<T>(value: T, language = currentLanguage()): T {
  if (language === 'en') return value
  return translate(value, undefined, language) as T
}

function translate(value: unknown, key: string | undefined, language: Language): unknown {
  if (typeof value === 'string') return key !== undefined && spoken.has(key) ? said(value, language) : value
  if (Array.isArray(value)) {
    const items = value.map((item) =>
      translate(item, key === 'differences' ? 'message' : undefined, language),
    )
    return items.some((item, index) => item !== value[index]) ? items : value
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value
  const entries = Object.entries(value).map(
    ([name, item]) => [name, translate(item, name, language)] as const,
  )
  return entries.some(([name, item]) => item !== (value as Record<string, unknown>)[name])
    ? Object.fromEntries(entries)
    : value
}
