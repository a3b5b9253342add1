/** A build that failed for a reason a person can do something about; `message` says what happened and what to do. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
}
