import type { EventLoop } from '../io/event-loop.ts'

/** `loop`, with every callback's exception told to `failed` instead of ending the thread that serves all devices. */
export function guardedLoop(loop: EventLoop, failed: (error: unknown) => void): EventLoop {
  const guard = (work: () => void) => () => {
    try {
      work()
    } catch (error) {
      failed(error)
    }
  }
  return {
    onReadable: (fd, ready) => loop.onReadable(fd, guard(ready)),
    onWritable: (fd, ready) => loop.onWritable(fd, guard(ready)),
    after: (ms, fire) => loop.after(ms, guard(fire)),
  }
}
