import { Check, X } from 'lucide-react'
import { cx } from './cx.ts'

export interface Step {
  id: string
  label: string
  state: 'done' | 'now' | 'todo' | 'failed'
  /** Progress or time beside the step, such as `42 %` or `3 s`. */
  detail?: string | undefined
}

/** What an action goes through, one line a step. `words` say the state to readers (m.common.steps). */
export function Steps({ steps, words }: { steps: readonly Step[]; words: Record<Step['state'], string> }) {
  return (
    <ol className="flex flex-col">
      {steps.map((step, index) => (
        <li key={step.id} className="relative flex gap-3 pb-3 last:pb-0">
          {index < steps.length - 1 ? (
            <span
              aria-hidden="true"
              className={cx(
                'absolute top-5 bottom-0 left-[9px] w-px',
                step.state === 'done' ? 'bg-ember-line' : 'bg-line-strong',
              )}
            />
          ) : null}
          <span
            aria-hidden="true"
            className={cx(
              'mt-px flex size-[19px] shrink-0 items-center justify-center rounded-full [&_svg]:size-3',
              step.state === 'done' && 'bg-ember-soft text-ember',
              step.state === 'now' && 'bg-ember-soft ring-1 ring-ember',
              step.state === 'todo' && 'border border-line-strong',
              step.state === 'failed' && 'bg-bad-soft text-bad',
            )}
          >
            {step.state === 'done' ? <Check strokeWidth={3} /> : null}
            {step.state === 'failed' ? <X strokeWidth={3} /> : null}
            {step.state === 'now' ? (
              <span className="size-2 animate-ember rounded-full bg-ember-solid" />
            ) : null}
          </span>
          <span
            className={cx(
              'min-w-0 flex-1 text-13',
              step.state === 'todo' ? 'text-ink-3' : step.state === 'failed' ? 'text-bad' : 'text-ink',
              step.state === 'now' && 'font-medium',
            )}
          >
            {step.label}
            <span className="sr-only">, {words[step.state]}</span>
          </span>
          {step.detail ? <span className="tnum text-13 text-ink-3">{step.detail}</span> : null}
        </li>
      ))}
    </ol>
  )
}
