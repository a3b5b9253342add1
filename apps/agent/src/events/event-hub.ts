/**
 * What the agent observes, pushed to every subscriber. A subscription begins with a snapshot taken in the same
 * turn of the event loop in which it joins, so nothing falls between the two. Each subscriber has a bounded
 * queue; one that cannot keep up is ended, reconnects and begins with a fresh snapshot.
 */
import type { AgentEvent } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'

export const subscriberQueueLimit = 1000

interface Subscriber {
  queue: AgentEvent[]
  overflowed: boolean
  wake: (() => void) | null
}

export class EventHub {
  readonly #subscribers = new Set<Subscriber>()

  publish(event: AgentEvent): void {
    for (const subscriber of this.#subscribers) {
      if (subscriber.queue.length >= subscriberQueueLimit) {
        subscriber.overflowed = true
        subscriber.queue.length = 0
      } else if (!subscriber.overflowed) {
        subscriber.queue.push(event)
      }
      subscriber.wake?.()
    }
  }

  /**
   * `snapshot` is synchronous on purpose: taken as the queue is joined, it can neither miss an event nor be
   * older than one. `ready` resolves when the connection can take another event.
   */
  async *subscribe(options: {
    signal: AbortSignal
    snapshot: () => AgentEvent
    ready?: () => Promise<void>
  }): AsyncGenerator<AgentEvent, void, void> {
    const { signal, snapshot, ready } = options
    const subscriber: Subscriber = { queue: [], overflowed: false, wake: null }
    const wake = () => subscriber.wake?.()
    this.#subscribers.add(subscriber)
    signal.addEventListener('abort', wake)
    try {
      yield snapshot()
      while (!signal.aborted) {
        if (subscriber.overflowed) {
          throw new HearthError('conflict', 'This connection is too slow for the events. Connect again.')
        }
        const event = subscriber.queue.shift()
        if (event === undefined) {
          await new Promise<void>((resolve) => {
            subscriber.wake = resolve
          })
          subscriber.wake = null
          continue
        }
        await ready?.()
        if (!signal.aborted) yield event
      }
    } finally {
      signal.removeEventListener('abort', wake)
      this.#subscribers.delete(subscriber)
    }
  }

  get subscriberCount(): number {
    return this.#subscribers.size
  }
}
