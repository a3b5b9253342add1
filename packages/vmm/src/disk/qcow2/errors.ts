import type { ErrorCode } from '@hearth/shared/errors'
import { DiskError } from '../raw-file.ts'

/**
 * What is wrong with an image:
 * - `unsupported`: a qcow2 feature or variant that Hearth does not create, named in the message;
 * - `corrupt`: the file contradicts the format or itself;
 * - `not-qcow2`: it does not begin as one;
 * - `in-use`: another process has it open;
 * - `missing`: it, or a file it is based on, cannot be opened;
 * - `invalid`: the caller asked for something that makes no sense.
 */
export type Qcow2Problem = 'unsupported' | 'corrupt' | 'not-qcow2' | 'in-use' | 'missing' | 'invalid'

const codes: Record<Qcow2Problem, ErrorCode> = {
  unsupported: 'invalid_input',
  corrupt: 'invalid_state',
  'not-qcow2': 'invalid_input',
  'in-use': 'locked',
  missing: 'disk_missing',
  invalid: 'invalid_input',
}

/**
 * The message is a sentence for people. `code` is the shared error code an agent reports it by; this is no
 * HearthError only because that one's module brings the whole schema library into every monitor process.
 */
export class Qcow2Error extends DiskError {
  readonly problem: Qcow2Problem
  readonly code: ErrorCode

  constructor(problem: Qcow2Problem, message: string) {
    super(message, problem === 'in-use')
    this.name = 'Qcow2Error'
    this.problem = problem
    this.code = codes[problem]
  }
}

/** A feature we do not have; what to do is always the same: let the import convert it. */
export function unsupported(name: string, feature: string): Qcow2Error {
  return new Qcow2Error(
    'unsupported',
    `${name} ${feature}, which Hearth's disk engine does not support. Import it as an image: that converts it to a disk of Hearth's own.`,
  )
}

export function corrupt(name: string, what: string): Qcow2Error {
  return new Qcow2Error(
    'corrupt',
    `${name} is damaged: ${what}. Restore it from a backup, or try "qemu-img check -r all" on a copy.`,
  )
}
