import type { ActionView } from '../../../server/views/index.ts'
import { duration } from '../../lib/format.ts'
import { m } from '../../messages/index.ts'
import type { Step } from '../../ui/steps.tsx'

type Phase = keyof typeof m.creation.phases

/** What the creation of a VM goes through, with what is done and how long it took. `now` is in milliseconds. */
export function creationSteps(
  action: Pick<ActionView, 'steps' | 'progress'>,
  vm: { loginUser: string | null; desiredState: string },
  now: number,
): Step[] {
  const begun = new Map<Phase, number>()
  for (const { phase, at } of action.steps)
    if (phase && !begun.has(phase)) begun.set(phase, new Date(at).getTime())
  const phases: Phase[] = [
    'image',
    'disk',
    // Only images with cloud-init have a login user.
    ...(vm.loginUser === null ? [] : ['seed' as const]),
    'network',
    ...(vm.desiredState === 'running' ? ['start' as const] : []),
  ]
  const current = phases.findLastIndex((phase) => begun.has(phase))
  return phases.map((phase, index) => {
    const from = begun.get(phase)
    // What was skipped (nothing had to be fetched) has no time of its own.
    const until = phases.slice(index + 1).flatMap((later) => begun.get(later) ?? [])[0]
    const took = from === undefined ? undefined : (until ?? now) - from
    const detail = took === undefined || took < 1000 ? undefined : duration(took)
    const step = { id: phase, label: m.creation.phases[phase] }
    if (index < current) return { ...step, state: 'done' as const, detail }
    if (index === current) return { ...step, state: 'now' as const, detail: `${action.progress} %` }
    return { ...step, state: 'todo' as const }
  })
}
