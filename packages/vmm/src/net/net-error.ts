/** A network interface or socket that cannot be used, in a sentence for the person who named it. */
export class NetError extends Error {
  /** What the kernel refused it with, where it did. */
  readonly errno: number | undefined
  constructor(message: string, errno?: number) {
    super(message)
    this.name = 'NetError'
    this.errno = errno
  }
}
