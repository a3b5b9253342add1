import { currentLanguage, type Language } from './language.ts'

interface Texts {
  readonly server: Readonly<Record<string, string>>
  /** What a list in a sentence holds. */
  readonly parts: Readonly<Record<string, string>>
}
type OtherLanguage = Exclude<Language, 'en'>

/** What the server says, by language; English is what it says itself. */
const load: Readonly<Record<OtherLanguage, () => Promise<Texts>>> = {
  de: () => import('./de/server.ts'),
}
const texts = new Map<OtherLanguage, Texts>()
let coming: Promise<void> | null = null

/**
 * Until the translations are there; null from then on. A page is drawn before they come, because nothing of the server
 * is on it yet. Where they cannot be had, the sentences stay as they came.
 */
export const sentencesComing = (): Promise<void> | null => coming

const fetchTexts = async (language: OtherLanguage) => void texts.set(language, await load[language]())

if (typeof window === 'undefined')
  await Promise.all(Object.keys(load).map((each) => fetchTexts(each as OtherLanguage)))
else {
  const language = currentLanguage()
  if (language !== 'en')
    coming = fetchTexts(language)
      .catch(() => undefined)
      .then(() => {
        coming = null
      })
}

interface Pattern {
  readonly matches: RegExp
  /** Between the words of the translation: the holes, in order. */
  readonly holes: readonly Hole[]
  readonly words: readonly string[]
}
/** What stands in a hole: whatever the server put in, names with an "or", a sentence, or parts that are translated each. */
type Hole = 'as it is' | ' or ' | 'sentence' | ', ' | '; '
const holeNamed: Readonly<Record<string, Hole>> = {
  '{}': 'as it is',
  '{|}': ' or ',
  '{.}': 'sentence',
  '{,}': ', ',
  '{;}': '; ',
}

interface Compiled {
  whole: ReadonlyMap<string, string>
  patterns: readonly Pattern[]
  /** What may stand in a list. */
  parts: Compiled | null
}
const compiled = new Map<OtherLanguage, Compiled>()
const holeInText = /\{[|.,;]?\}/

function compile(texts: Readonly<Record<string, string>>, parts: Compiled | null): Compiled {
  const entries = Object.entries(texts)
  return {
    whole: new Map(entries.filter(([text]) => !holeInText.test(text))),
    patterns: entries
      .filter(([text]) => holeInText.test(text))
      .map(([text, translated]) => ({
        matches: new RegExp(`^${text.split(holeInText).map(literally).join('(.+?)')}$`, 's'),
        holes: (text.match(new RegExp(holeInText, 'g')) ?? []).map((hole) => holeNamed[hole] ?? 'as it is'),
        words: translated.split(holeInText),
      })),
    parts,
  }
}

function compiledFor(language: OtherLanguage): Compiled | null {
  const source = texts.get(language)
  if (!source) return null
  let known = compiled.get(language)
  if (!known) {
    known = compile(source.server, compile(source.parts, null))
    compiled.set(language, known)
  }
  return known
}

const literally = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

function translated(text: string, dictionary: Compiled): string | null {
  const { whole, patterns, parts } = dictionary
  const exact = whole.get(text)
  if (exact !== undefined) return exact
  for (const { matches, holes, words } of patterns) {
    const found = matches.exec(text)
    if (!found) continue
    const filled = holes.map((hole, index) => {
      const value = found[index + 1] ?? ''
      if (hole === 'as it is') return value
      if (hole === ' or ') return value.replaceAll(hole, whole.get(hole) ?? hole)
      if (hole === 'sentence') return translated(value, dictionary) ?? value
      return parts && translatedList(value, hole, parts)
    })
    if (filled.every((value) => value !== null))
      return words.map((word, index) => word + (filled[index] ?? '')).join('')
  }
  return null
}

/** Null when one of them is unknown. A part may hold what parts the list: then the rest would be unknown without it. */
function translatedList(text: string, between: string, parts: Compiled): string | null {
  const pieces = text.split(between)
  for (let count = 1; count <= pieces.length; count++) {
    const first = translated(pieces.slice(0, count).join(between), parts)
    if (first === null) continue
    if (count === pieces.length) return first
    const rest = translatedList(pieces.slice(count).join(between), between, parts)
    if (rest !== null) return first + between + rest
  }
  return null
}

/** A sentence of the server in the reader's language; as it came when there is no other. */
export function said(text: string, language = currentLanguage()): string {
  const dictionary = language === 'en' ? null : compiledFor(language)
  return (dictionary && translated(text, dictionary)) ?? text
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
  'problem',
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
