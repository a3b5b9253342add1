import { atReading, catalogues, m as core, type Messages } from './index.ts'
import { currentLanguage, type Language } from './language.ts'

const load: Readonly<Record<Language, () => Promise<Omit<Messages, keyof typeof core>>>> = {
  en: () => import('./en/rest.ts').then(({ rest }) => rest),
  de: () => import('./de/rest.ts').then(({ rest }) => rest),
}

/** Every text in the reader's language (see index.ts), for what is not on every page. */
export const m: Messages = catalogues
  ? atReading(catalogues, [])
  : { ...core, ...(await load[currentLanguage()]()) }
