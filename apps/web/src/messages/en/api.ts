export const api = {
  title: 'API reference',
  description:
    'Every call of the API: what it takes, what it gives, what may go wrong. A script needs a token. Make one:',
  token: 'API tokens',
  download: 'As OpenAPI',
  search: 'Search calls',
  nothing: 'No call is like that',
  nothingText: 'Try a single word, such as “snapshot” or “PUT”.',
  scopes: {
    read: 'A token that may read is enough.',
    write: 'Needs a token that may write.',
  },
  parameters: 'Parameters',
  body: 'Body (JSON)',
  answer: (status: string) => `Answer (${status})`,
  noContent: 'Without content.',
  emptyObject: 'An empty object.',
  errors: 'Errors',
  others: 'others',
  required: 'required',
  preset: (value: string) => `otherwise ${value}`,
  fieldsOf: (name: string) => `Fields of ${name}`,
  limits: {
    range: (from: number | undefined, to: number | undefined) =>
      from === undefined ? `at most ${to}` : to === undefined ? `at least ${from}` : `${from} to ${to}`,
    letters: (range: string) => `${range} characters`,
    entries: (range: string) => `${range} entries`,
  },
  types: {
    or: ' or ',
    listOf: (item: string) => `list of ${item}`,
    mapOf: (item: string) => `names with ${item}`,
    any: 'anything',
  },
}
