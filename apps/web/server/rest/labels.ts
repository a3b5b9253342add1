import { isLabelKey } from '../views/label.ts'
import { RestError } from './errors.ts'

export type LabelTest = (labels: Record<string, string>) => boolean

/**
 * `k`, `!k`, `k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, joined by commas, all of which must hold.
 * `k!=v` holds for what has no such label, too.
 */
export function parseLabelSelector(text: string): LabelTest {
  const terms = text.split(/,(?![^(]*\))/).map((term) => parseTerm(term.trim()))
  return (labels) => terms.every((term) => term(labels))
}

function parseTerm(term: string): LabelTest {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term)
  if (set && isLabelKey(set[1]!)) {
    const values = set[3]!.split(',').map((value) => value.trim())
    const key = set[1]!
    const wanted = set[2] === 'in'
    return (labels) => (labels[key] !== undefined && values.includes(labels[key])) === wanted
  }
  const equality = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(term)
  if (equality && isLabelKey(equality[1]!)) {
    const [, key, operator, value] = equality
    return (labels) => (labels[key!] === value) === (operator !== '!=')
  }
  const absent = term.startsWith('!')
  const key = absent ? term.slice(1).trim() : term
  if (isLabelKey(key)) return (labels) => (labels[key] === undefined) === absent
  throw new RestError(422, 'invalid_input', `The label selector "${term}" cannot be read.`, [
    { name: 'label_selector', messages: ['Use key, !key, key=value, key!=value or key in (a,b).'] },
  ])
}
