/** A network interface or socket that cannot be used, in a sentence for the person who named it. */
export class NetError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'NetError'
  }
}
