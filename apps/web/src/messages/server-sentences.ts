/**
 * What server, hosts and builder say to people, read from their sources: for the test that each sentence is said in
 * every language. A sentence is what an error of ours is made with, what stands under a name that pages show, what an
 * action says that it does, and whatever else begins and ends as sentences do.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import path from 'node:path'
import { type AnyNode, type Expression, parse } from 'acorn'

export interface ServerSentence {
  /** `{}` stands for what is put in. */
  readonly text: string
  readonly where: string
}

/** By class, which argument the person is told. */
const errors: Readonly<Record<string, number>> = {
  HearthError: 1,
  QuotaError: 0,
  BuildError: 0,
  PrivateAddressError: 0,
  UploadError: 1,
}
/** By function, which argument is told. */
const functions: Readonly<Record<string, number>> = { cannot: 0, report: 1, progress: 1, says: 0 }
/** What the log or a terminal is told. */
const writers = new Set(['write', 'warn', 'info', 'error', 'debug', 'log', 'fail'])
const properties = new Set(['why', 'summary', 'step', 'message', 'stateReason', 'exitReason'])

export function sentencesIn(folder: string, isOther: (file: string) => boolean): ServerSentence[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.test\.ts$|\.d\.ts$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
  return files.filter((file) => !isOther(file)).flatMap((file) => sentencesOf(file))
}

function sentencesOf(file: string): ServerSentence[] {
  const source = stripTypeScriptTypes(readFileSync(file, 'utf8'))
  const program = parse(source, { ecmaVersion: 'latest', sourceType: 'module' })
  const constants = constantsOf(program)
  const found = new Map<string, ServerSentence>()
  /** Literals that are parts of a longer wording. */
  const within = new Set<AnyNode>()
  const tell = (node: AnyNode | null | undefined, is: (text: string) => boolean): void => {
    const texts = node ? wordings(node, constants) : []
    if (!node || !texts.some((text) => text !== '{}')) return
    for (const text of texts)
      if (is(text)) found.set(text, { text, where: `${file}:${lineOf(source, node.start)}` })
    walk(node, (each) => within.add(each))
  }
  walk(program, (node) => {
    if (node.type === 'NewExpression' || node.type === 'CallExpression') {
      const name = nameOf(node.callee)
      const index = (node.type === 'NewExpression' ? errors : functions)[name]
      if (index !== undefined) tell(node.arguments[index], isSentence)
      if (node.type === 'CallExpression' && writers.has(name)) walk(node, (each) => within.add(each))
    } else if (node.type === 'Property' && !node.computed && properties.has(nameOf(node.key)))
      tell(node.value, isSentence)
    else if (!within.has(node)) tell(node, (text) => isWholeSentence(text) || isDeed(text))
  })
  return [...found.values()]
}

/** A word alone is a code, unless it is written as one says it. */
const isSentence = (text: string): boolean =>
  /^[A-Z{“"]/.test(text) && /[a-z]{2}/.test(text) && (text.includes(' ') || /^[A-Z][a-z]+$/.test(text))

const isWholeSentence = (text: string): boolean =>
  isSentence(text) && /[^.]\.$/.test(text) && text.split(' ').length > 2

/** What the activity says that somebody did; what ends with "the" is the beginning of one. */
const isDeed = (text: string): boolean =>
  /^([A-Z][a-z]+ed|Made|Began|Took|Gave|Set|Let|Left|Built) \S+/.test(text) && !/ the$/.test(text)

/** What a file's own constants hold, by name; a name that is declared twice is none. */
type Constants = ReadonlyMap<string, Expression | null>

/** All that an expression can come to, as far as its words stand in this file; `{}` for what does not. */
function wordings(node: AnyNode, constants: Constants): string[] {
  const of = (each: AnyNode) => wordings(each, constants)
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node.value] : ['{}']
    case 'TemplateLiteral':
      return joined(
        node.quasis.flatMap((quasi, index) => {
          const expression = node.expressions[index]
          return [[quasi.value.cooked ?? ''], ...(expression ? [of(expression)] : [])]
        }),
      )
    case 'ConditionalExpression':
      return [...of(node.consequent), ...of(node.alternate)]
    case 'LogicalExpression':
      // An empty text gives way to the other.
      return [...of(node.left).filter((text) => text !== ''), ...of(node.right)]
    case 'BinaryExpression':
      return node.operator === '+' ? joined([of(node.left), of(node.right)]) : ['{}']
    case 'Identifier': {
      const value = constants.get(node.name)
      return value && value.type !== 'Identifier' ? of(value) : ['{}']
    }
    case 'MemberExpression': {
      // A table of words.
      const table = node.object.type === 'Identifier' ? constants.get(node.object.name) : null
      if (table?.type !== 'ObjectExpression') return ['{}']
      return table.properties.flatMap((each) => (each.type === 'Property' ? of(each.value) : ['{}']))
    }
    default:
      return ['{}']
  }
}

function joined(parts: readonly (readonly string[])[]): string[] {
  return parts.reduce<string[]>((all, part) => all.flatMap((text) => part.map((each) => text + each)), [''])
}

function constantsOf(program: AnyNode): Constants {
  const constants = new Map<string, Expression | null>()
  walk(program, (node) => {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier') return
    const { name } = node.id
    constants.set(name, constants.has(name) ? null : (node.init ?? null))
  })
  return constants
}

function nameOf(node: AnyNode): string {
  if (node.type === 'Identifier') return node.name
  if (node.type === 'MemberExpression') return nameOf(node.property)
  return ''
}

function walk(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node)
  for (const value of Object.values(node) as unknown[])
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value])
      if (typeof child === 'object' && child !== null && 'type' in child && 'start' in child)
        walk(child as AnyNode, visit)
}

const lineOf = (source: string, at: number): number => source.slice(0, at).split('\n').length
