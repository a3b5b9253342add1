import { de } from './de/index.ts'
import { en } from './en/index.ts'
import { currentLanguage, type Language } from './language.ts'

/** Every text of the portal; nothing else in the pages holds words. */
export type Messages = typeof en

export const catalogues: Readonly<Record<Language, Messages>> = { en, de }

/**
 * The texts in the reader's language: `m.vms.title`, `m.vms.count(3)`. Keys are typed, and a language that lacks one
 * does not compile.
 *
 * A browser's page has one language for as long as it lives. The server renders for many people, so there a text is
 * looked up when it is read: read texts inside components and functions. A part of the catalogue may be named at the
 * top of a module (`const t = m.vms`), a text may not (`const label = m.vms.title`): no-early-texts.test.ts looks.
 */
export const m: Messages = typeof document === 'undefined' ? atReading([]) : catalogues[currentLanguage()]

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Stands for the part of the catalogue at `path`, in whatever language is wanted when one of its texts is read. */
function atReading(path: readonly string[]): Messages {
  const branches = new Map<string, unknown>()
  const at = (root: unknown) =>
    path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], root)
  const shape = at(en) as object
  return new Proxy(shape, {
    get(target, key) {
      if (typeof key !== 'string') return Reflect.get(target, key)
      if (isBranch(Reflect.get(target, key))) {
        if (!branches.has(key)) branches.set(key, atReading([...path, key]))
        return branches.get(key)
      }
      return (at(catalogues[currentLanguage()]) as Record<string, unknown>)[key]
    },
  }) as Messages
}
