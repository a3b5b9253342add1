import type { core as englishCore } from './en/core.ts'
import type { en as english } from './en/index.ts'
import { currentLanguage, type Language } from './language.ts'

/** Every text of the portal; nothing else in the pages holds words. */
export type Messages = typeof english

/** Those that the list of VMs and the frame around every page need. */
export type CoreMessages = typeof englishCore

const load: Readonly<Record<Language, () => Promise<CoreMessages>>> = {
  en: () => import('./en/core.ts').then(({ core }) => core),
  de: () => import('./de/core.ts').then(({ core }) => core),
}

/** All of them on the server and in tests; in a browser none, which fetches its own language alone (see `m`). */
export const catalogues: Readonly<Record<Language, Messages>> | undefined =
  typeof window === 'undefined'
    ? { en: (await import('./en/index.ts')).en, de: (await import('./de/index.ts')).de }
    : undefined

/**
 * The texts in the reader's language that every page needs: `m.vms.title`, `m.vms.count(3)`; `messages/all.ts` has the
 * others too. Keys are typed, and a language that lacks one does not compile.
 *
 * A browser's page has one language for as long as it lives. The server renders for many people, so there a text is
 * looked up when it is read: read texts inside components and functions. A part of the catalogue may be named at the
 * top of a module (`const t = m.vms`), a text may not (`const label = m.vms.title`): no-early-texts.test.ts looks.
 */
export const m: CoreMessages = catalogues ? atReading(catalogues, []) : await load[currentLanguage()]()

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Stands for the part of the catalogue at `path`, in whatever language is wanted when one of its texts is read. */
export function atReading(all: Readonly<Record<Language, Messages>>, path: readonly string[]): Messages {
  const branches = new Map<string, unknown>()
  const at = (root: unknown) =>
    path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], root)
  const shape = at(all.en) as object
  return new Proxy(shape, {
    get(target, key) {
      if (typeof key !== 'string') return Reflect.get(target, key)
      if (isBranch(Reflect.get(target, key))) {
        if (!branches.has(key)) branches.set(key, atReading(all, [...path, key]))
        return branches.get(key)
      }
      return (at(all[currentLanguage()]) as Record<string, unknown>)[key]
    },
  }) as Messages
}
