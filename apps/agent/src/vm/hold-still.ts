/**
 * Holding a running guest still around a piece of work. What is done to it is written down before, so that an agent
 * that ends in the middle leaves word to the next one, which lets the guest go.
 */
import type { Vm } from './vm.ts'

/**
 * A guest that runs stands still for as long as `work` takes. `frozen` tells whether its file systems were written out
 * before, which takes an agent in it; else its disk is then as after a power cut.
 */
export async function whileHeldStill<T>(vm: Vm, work: (frozen: boolean) => Promise<T>): Promise<T> {
  // Held by its watchdog or by a person: it stays as it was found.
  if (!vm.hasProcess || isPaused(vm)) return work(false)
  const freezes = vm.inside.answers
  await vm.setRecord({ held: freezes ? 'frozen' : 'paused' })
  let paused = false
  try {
    const frozen = freezes && (await vm.inside.freeze())
    // Its watchdog may have been faster.
    if (!isPaused(vm)) {
      paused = true
      await vm.pause()
    }
    return await work(frozen)
  } finally {
    await letGo(vm, { paused, frozen: freezes })
  }
}

/** Undoes what an agent before this one left. */
export async function letGoLeft(vm: Vm): Promise<void> {
  const { held } = vm.record
  if (held !== undefined) await letGo(vm, { paused: true, frozen: held === 'frozen' })
}

/** `frozen`: they may be, which is reason enough to thaw them. */
async function letGo(vm: Vm, { paused, frozen }: { paused: boolean; frozen: boolean }): Promise<void> {
  try {
    if (paused) await vm.resume()
  } finally {
    // One that does not answer may answer the next agent.
    if (!frozen || (await vm.inside.thaw(() => vm.hasProcess))) await vm.setRecord({ held: undefined })
  }
}

const isPaused = (vm: Vm): boolean => vm.state === 'paused'
