import type { Messages } from '../index.ts'
import { core } from './core.ts'
import { rest } from './rest.ts'

export const de: Messages = { ...core, ...rest }
