/** Languages of the pages, each by its own name. A new one: a folder like `de/`, a line here and in index.ts. */
export const languages = { en: 'English', de: 'Deutsch' } as const
export type Language = keyof typeof languages

/** The cookie that keeps a person's choice on this device; without it the browser's own languages decide. */
export const languageCookie = 'hearth.lang'

/**
 * How the portal's server tells the pages it renders which language the request wants. Pages are bundled and have
 * module state of their own, so the two meet at a name in globalThis (see server/http/language.ts).
 */
export const languageReader = Symbol.for('hearth.language')

export function isLanguage(text: string | undefined): text is Language {
  return text !== undefined && Object.hasOwn(languages, text)
}

/** The language of this page or, on the server, of the request that is being answered. */
export function currentLanguage(): Language {
  const word =
    typeof document === 'undefined'
      ? (globalThis as { [languageReader]?: () => string | undefined })[languageReader]?.()
      : document.documentElement.lang
  return isLanguage(word) ? word : 'en'
}

/** Keeps the choice and loads the page again: texts are chosen once, before anything is drawn. */
export function chooseLanguage(language: Language): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in Firefox and on plain HTTP
  document.cookie = `${languageCookie}=${language}; Path=/; Max-Age=31536000; SameSite=Lax`
  window.location.reload()
}

/** For dates and figures: the browser's own variant of the page's language (`en-GB`), else the language as such. */
export function currentLocale(): string {
  const language = currentLanguage()
  const own = typeof navigator === 'undefined' ? [] : (navigator.languages ?? [])
  return own.find((tag) => tag.split('-')[0] === language) ?? language
}
