/**
 * What a device on the I/O thread may ask of its thread. One epoll loop per I/O worker; callbacks run on it,
 * one at a time, and must not block for long.
 */
export interface EventLoop {
  /** Calls `ready` while `fd` is readable (level-triggered). `fd` stays owned by the caller. */
  onReadable(fd: number, ready: () => void): Registration
  /** Calls `ready` while `fd` is writable; used only while a transmit queue is stuck. */
  onWritable(fd: number, ready: () => void): Registration
  /** Calls `fire` once after `ms` milliseconds. */
  after(ms: number, fire: () => void): Registration
}

export interface Registration {
  /** Stops the callbacks. Closing an fd requires this first. Idempotent. */
  remove(): void
}
