import { z } from 'zod'

const namePart = /^[a-z0-9A-Z]([\w.-]{0,61}[a-z0-9A-Z])?$/
const prefixPart = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/** `name` or `prefix/name`, as the API's model has them. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/')
  if (slash < 0) return namePart.test(key)
  return prefixPart.test(key.slice(0, slash)) && namePart.test(key.slice(slash + 1))
}

export function isLabelValue(value: string): boolean {
  return value === '' || namePart.test(value)
}

export const labelsSchema = z
  .record(z.string(), z.string())
  .refine(
    (labels) => Object.keys(labels).every(isLabelKey),
    'A label key has at most 63 letters, digits, ., _ and -.',
  )
  .refine(
    (labels) => Object.values(labels).every(isLabelValue),
    'A label value has at most 63 letters, digits, ., _ and -.',
  )
  .refine((labels) => Object.keys(labels).length <= 64, 'At most 64 labels.')
