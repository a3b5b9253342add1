import { core } from './core.ts'
import { rest } from './rest.ts'

/** The texts in English; their shape is what every other language must have. */
export const en = { ...core, ...rest }
