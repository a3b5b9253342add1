/** The API's own description (OpenAPI 3.1), read for a page: operations, fields, and how they are called. */

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly additionalProperties?: Schema | boolean
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly pattern?: string
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: Schema
}

interface DescribedOperation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly 'x-scope': 'read' | 'write'
  readonly parameters: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content & { readonly description: string }>>
}

export interface Description {
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly tag: string
  readonly scope: 'read' | 'write'
  readonly parameters: readonly Parameter[]
  readonly body: Schema | null
  readonly status: string
  readonly answer: Schema | null
  readonly errors: readonly { readonly status: string; readonly codes: string }[]
}

export function operationsOf(description: Description): Operation[] {
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const responses = Object.entries(operation.responses)
      const [status, success] = responses.find(([code]) => code.startsWith('2')) ?? ['200', undefined]
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        summary: operation.summary,
        tag: operation.tags[0] ?? '',
        scope: operation['x-scope'],
        parameters: operation.parameters,
        body: jsonOf(operation.requestBody),
        status,
        answer: jsonOf(success),
        errors: responses
          .filter(([code]) => !code.startsWith('2'))
          .map(([code, { description: text }]) => ({ status: code, codes: text.replace(/^Error: /, '') })),
      }
    }),
  )
}

const jsonOf = (holder: Content | undefined): Schema | null =>
  holder?.content?.['application/json']?.schema ?? null

/** Those that have all the words, in their groups; groups stand in the order in which the description has them. */
export function grouped(
  operations: readonly Operation[],
  query: string,
): { tag: string; operations: Operation[] }[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const groups = new Map<string, Operation[]>()
  for (const operation of operations) {
    const { method, path, summary, tag } = operation
    const text = `${method} ${path} ${summary} ${tag}`.toLowerCase()
    if (!words.every((word) => text.includes(word))) continue
    groups.set(tag, [...(groups.get(tag) ?? []), operation])
  }
  return [...groups].map(([tag, found]) => ({ tag, operations: found }))
}

const nameIn = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)

export function resolve(schema: Schema, description: Description): Schema {
  return schema.$ref === undefined ? schema : (description.components.schemas[nameIn(schema.$ref)] ?? {})
}

/** What a value is, in a few words: `string`, `integer or null`, `list of Server`. */
export interface TypeWords {
  readonly or: string
  readonly listOf: (item: string) => string
  readonly mapOf: (item: string) => string
  readonly any: string
}

export function typeOf(schema: Schema, words: TypeWords): string {
  if (schema.$ref !== undefined) return nameIn(schema.$ref)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => String(value)).join(' | ')
  if (schema.anyOf) return [...new Set(schema.anyOf.map((each) => typeOf(each, words)))].join(words.or)
  if (schema.items) return words.listOf(typeOf(schema.items, words))
  if (typeof schema.additionalProperties === 'object')
    return words.mapOf(typeOf(schema.additionalProperties, words))
  const types = [schema.type ?? []].flat()
  return types.length === 0 ? words.any : types.join(words.or)
}

export interface LimitWords {
  /** One of the two is always there. */
  readonly range: (from: number | undefined, to: number | undefined) => string
  readonly letters: (range: string) => string
  readonly entries: (range: string) => string
}

/** What may stand there: bounds, lengths, a pattern. */
export function limitsOf(schema: Schema, words: LimitWords): string[] {
  const of = schema.anyOf?.find((each) => each.type !== 'null') ?? schema
  const { minimum, maximum, minLength, maxLength, maxItems, pattern } = of
  // JavaScript's largest whole number is no limit that anybody has in mind.
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
  const range = (from: number | undefined, to: number | undefined, say = (text: string) => text) =>
    from === undefined && to === undefined ? [] : [say(words.range(from, to))]
  return [
    ...range(minimum, most),
    ...range(minLength, maxLength, words.letters),
    ...range(undefined, maxItems, words.entries),
    ...(pattern === undefined ? [] : [pattern]),
  ]
}

export interface Field {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
}

/** The fields of an object, also where it stands in a list or may be null; null for what has none. */
export function fieldsOf(schema: Schema, description: Description): Field[] | null {
  const itself = resolve(schema, description)
  const { properties, required = [] } = itself
  if (properties)
    return Object.entries(properties).map(([name, each]) => ({
      ...{ name, schema: each },
      required: required.includes(name),
    }))
  if (itself.items) return fieldsOf(itself.items, description)
  for (const each of itself.anyOf ?? []) {
    const fields = fieldsOf(each, description)
    if (fields) return fields
  }
  return null
}

/** A value that shows what to put there: what is required, `<name>` for what only the caller knows. */
function exampleOf(name: string, schema: Schema, description: Description): unknown {
  const itself = resolve(schema, description)
  if (itself.const !== undefined) return itself.const
  if (itself.enum) return itself.enum[0]
  if (itself.default !== undefined) return itself.default
  if (itself.anyOf) return exampleOf(name, itself.anyOf.at(-1) ?? {}, description)
  if (itself.items) return [exampleOf(name, itself.items, description)]
  const [type] = [itself.type ?? []].flat()
  if (type === 'object' || itself.properties)
    return Object.fromEntries(
      (fieldsOf(itself, description) ?? [])
        .filter(({ required }) => required)
        .map((field) => [field.name, exampleOf(field.name, field.schema, description)]),
    )
  if (type === 'integer' || type === 'number') return itself.minimum ?? 1
  if (type === 'boolean') return true
  return type === 'null' ? null : `<${name}>`
}

/** The shell's command that calls it, with what it needs. */
export function curlOf(operation: Operation, description: Description): string {
  const address = operation.path.replaceAll(/\{\w+\}/g, '42')
  const query = operation.parameters
    .filter((each) => each.in === 'query' && each.required)
    .map(({ name, schema }) => `${name}=${String(exampleOf(name, schema, description))}`)
    .join('&')
  const url = `${description.servers[0]?.url ?? ''}${address}${query ? `?${query}` : ''}`
  return [
    'curl',
    ...(operation.method === 'GET' ? [] : [`-X ${operation.method}`]),
    '-H "Authorization: Bearer $HEARTH_TOKEN"',
    ...(operation.body
      ? [
          `-H 'Content-Type: application/json' -d '${JSON.stringify(exampleOf('', operation.body, description))}'`,
        ]
      : []),
    // The shell would take & and < for its own.
    /[&<]/.test(url) ? `'${url}'` : url,
  ].join(' ')
}
