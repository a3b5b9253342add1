import { SystemError } from '../../sys/libc.ts'
import type { Completion } from '../file-queue.ts'

/**
 * An operation on an image, written as if it waited for the disk. Before a `yield` it has said by its job what it waits
 * for; after it all of that has happened, or the `yield` throws what went wrong. Between two `yield`s nobody else works
 * on the image.
 */
export type Steps<T = void> = Generator<undefined, T, undefined>

/** What runs an operation's steps: told of the end of everything the operation waits for. */
export class Job implements Completion {
  /** It has the image's metadata to itself. */
  ownsMetadata = false
  private readonly queue: JobQueue
  private readonly steps: Steps
  private readonly ended: (error: unknown) => void
  private waits = 0
  private running = false
  private over = false
  private error: unknown

  /** `ended` is called once, with undefined when all went well, and when nothing it began is under way any more. */
  constructor(queue: JobQueue, begin: (job: Job) => Steps, ended: (error: unknown) => void) {
    this.queue = queue
    this.steps = begin(this)
    this.ended = ended
  }

  /** There is one thing more to wait for, whose end `done` tells. */
  expect(): void {
    this.waits++
  }

  /** Something the job began has failed already: its next `yield` throws. */
  fail(error: unknown): void {
    this.error ??= error
  }

  done(errno: number): void {
    if (errno !== 0) this.error ??= new SystemError('disk', errno)
    if (--this.waits === 0 && !this.running) this.queue.ready(this)
  }

  /** For the queue: goes on to the next wait, or to the end. */
  run(): void {
    this.running = true
    try {
      while (this.waits === 0 && !this.over) this.step()
    } catch (error) {
      this.over = true
      this.error = error
    }
    this.running = false
    if (this.over && this.waits === 0) this.ended(this.error)
  }

  private step(): void {
    const { error } = this
    this.error = undefined
    const result = error === undefined ? this.steps.next() : this.steps.throw(error)
    if (result.done) this.over = true
  }
}

/** Jobs that can go on, one at a time in the order they became able to. */
export class JobQueue {
  private readonly runnable: Job[] = []
  private running = false

  ready(job: Job): void {
    this.runnable.push(job)
    if (this.running) return
    this.running = true
    try {
      for (let next = this.runnable.shift(); next !== undefined; next = this.runnable.shift()) next.run()
    } finally {
      this.running = false
    }
  }
}

/** Runs an operation on files that never wait, and returns what it returns. */
export function runNow<T>(begin: (job: Job) => Steps<T>): T {
  const result: { value?: T; error?: unknown; ended: boolean } = { ended: false }
  const queue = new JobQueue()
  function* steps(job: Job): Steps {
    result.value = yield* begin(job)
  }
  queue.ready(
    new Job(queue, steps, (error) => {
      result.ended = true
      result.error = error
    }),
  )
  if (!result.ended) throw new Error('an operation waits where nothing can be waited for')
  if (result.error !== undefined) throw result.error
  return result.value as T
}

/** Things of which each is used by one job at a time; who finds none waits in line. */
export class Pool<T> {
  private readonly items: T[]
  private readonly waiting: { readonly job: Job; got: T | undefined }[] = []

  constructor(items: T[]) {
    this.items = items
  }

  *take(job: Job): Steps<T> {
    const item = this.items.pop()
    if (item !== undefined) return item
    const place: { readonly job: Job; got: T | undefined } = { job, got: undefined }
    this.waiting.push(place)
    job.expect()
    try {
      yield
    } catch (error) {
      // Something else the job waited for.
      this.give(place.got!)
      throw error
    }
    return place.got!
  }

  give(item: T): void {
    const next = this.waiting.shift()
    if (next === undefined) this.items.push(item)
    else {
      next.got = item
      next.job.done(0)
    }
  }
}
