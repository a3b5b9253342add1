import type { Messages } from '../index.ts'

export const api: Messages['api'] = {
  title: 'API-Referenz',
  description:
    'Jeder Aufruf der API: was er nimmt, was er gibt, was schiefgehen kann. Ein Skript braucht ein Token. Erstelle eines:',
  token: 'API-Token',
  download: 'Als OpenAPI',
  search: 'Aufrufe suchen',
  nothing: 'So ist kein Aufruf',
  nothingText: 'Versuche ein einzelnes Wort, etwa „snapshot“ oder „PUT“.',
  scopes: {
    read: 'Ein Token, das lesen darf, genügt.',
    write: 'Braucht ein Token, das schreiben darf.',
  },
  parameters: 'Parameter',
  body: 'Anfrage (JSON)',
  answer: (status) => `Antwort (${status})`,
  noContent: 'Ohne Inhalt.',
  emptyObject: 'Ein leeres Objekt.',
  errors: 'Fehler',
  others: 'andere',
  required: 'nötig',
  preset: (value) => `sonst ${value}`,
  fieldsOf: (name) => `Felder von ${name}`,
  limits: {
    range: (from, to) =>
      from === undefined ? `höchstens ${to}` : to === undefined ? `mindestens ${from}` : `${from} bis ${to}`,
    letters: (range) => `${range} Zeichen`,
    entries: (range) => `${range} Einträge`,
  },
  types: {
    or: ' oder ',
    listOf: (item) => `Liste von ${item}`,
    mapOf: (item) => `Namen mit ${item}`,
    any: 'beliebig',
  },
}
