import { minPasswordLength, passwordStrength } from '../../lib/password.ts'
import { m } from '../../messages/index.ts'
import { cx } from '../../ui/cx.ts'

const fills = ['bg-bad', 'bg-bad', 'bg-warn', 'bg-ok'] as const

/** Three bars and a word; keeps its height while it is empty. */
export function PasswordStrength({ password }: { password: string }) {
  const strength = passwordStrength(password)
  return (
    <span className="flex flex-col gap-1.5">
      <span className="flex items-center gap-2" aria-live="polite">
        <span className="flex flex-1 gap-1" aria-hidden="true">
          {[1, 2, 3].map((bar) => (
            <span
              key={bar}
              className={cx(
                'h-1 flex-1 rounded-full transition-colors',
                password && (strength >= bar || (strength === 0 && bar === 1)) ? fills[strength] : 'bg-line',
              )}
            />
          ))}
        </span>
        <span className="w-16 text-right text-ink-2 text-xs">
          {password ? m.entry.setup.strength[strength] : ''}
        </span>
      </span>
      <span>{m.entry.setup.strengthHint(minPasswordLength)}</span>
    </span>
  )
}
