/** Which language a request's page is rendered in. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingHttpHeaders } from 'node:http'
import { isLanguage, type Language, languageCookie, languageReader } from '../../src/messages/language.ts'

const current = new AsyncLocalStorage<Language>()
Object.assign(globalThis, { [languageReader]: () => current.getStore() })

/** Runs `work`; the pages rendered in it have their texts in that language. */
export function inLanguage<T>(language: Language, work: () => T): T {
  return current.run(language, work)
}

/** The person's choice on this device, else the first of the browser's languages that there is, else English. */
export function languageOf(headers: IncomingHttpHeaders): Language {
  const chosen = (headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim().split('='))
    .find(([name]) => name === languageCookie)?.[1]
  if (isLanguage(chosen)) return chosen
  const wanted = (headers['accept-language'] ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
      const q = Number(parameters.map((p) => /^\s*q=([\d.]+)$/.exec(p)?.[1]).find(Boolean) ?? 1)
      return { language: tag.split('-')[0], q }
    })
    .filter(({ q }) => q > 0)
    .sort((one, other) => other.q - one.q)
  return wanted.map(({ language }) => language).find(isLanguage) ?? 'en'
}
