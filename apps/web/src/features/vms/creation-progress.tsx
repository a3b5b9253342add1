'use client'
import { useState } from 'react'
import type { ActionView, VmView } from '../../data/hooks.ts'
import { duration } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { ProgressBar } from '../../ui/meter.tsx'
import { Steps } from '../../ui/steps.tsx'
import { CancelCreation } from './cancel-creation.tsx'
import { creationSteps } from './creation-steps.ts'

/** The making of a VM, step by step, and the way out of it. */
export function CreationProgress({ vm, action }: { vm: VmView; action: ActionView }) {
  const now = useNow(true)
  const [asking, setAsking] = useState(false)
  const what = m.vms.action.running.create_vm
  return (
    <section aria-label={what} className="rounded-card border border-ember-line bg-ember-soft px-5 py-4">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 text-13">
        <p className="min-w-0 flex-1 basis-48" role="status">
          <span className="font-medium text-ember">{what}</span>
          {action.step ? <span className="text-ink-2"> · {action.step}</span> : null}
        </p>
        <span className="tnum shrink-0 text-ink-2">
          {now === 0 ? '' : duration(now - new Date(action.startedAt).getTime())}
        </span>
        <Button size="sm" whyDisabled={vm.can.cancel.why} onClick={() => setAsking(true)}>
          {m.creation.cancel}
        </Button>
      </div>
      <div className="mt-3 mb-4">
        <ProgressBar label={m.vms.action.progress(what)} value={action.progress} />
      </div>
      <Steps steps={creationSteps(action, vm, now)} words={m.common.steps} />
      <p className="mt-3 text-13 text-ink-2">{action.cancelled ? m.creation.cancelling : m.creation.leave}</p>
      {asking ? <CancelCreation vm={vm} onClose={() => setAsking(false)} /> : null}
    </section>
  )
}
