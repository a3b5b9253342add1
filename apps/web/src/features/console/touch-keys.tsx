'use client'
import { m } from '../../messages/all.ts'
import { cx } from '../../ui/cx.ts'

const t = m.console.touch

/** What a screen keyboard lacks and a shell needs. `label` is heard, `face` is seen. */
const keys = (): readonly { face: string; label: string; sends: string }[] => [
  { face: 'Esc', label: t.escape, sends: '\x1b' },
  { face: 'Tab', label: t.tab, sends: '\t' },
  { face: '↑', label: t.up, sends: '\x1b[A' },
  { face: '↓', label: t.down, sends: '\x1b[B' },
  { face: '←', label: t.left, sends: '\x1b[D' },
  { face: '→', label: t.right, sends: '\x1b[C' },
  { face: '|', label: t.pipe, sends: '|' },
  { face: '/', label: t.slash, sends: '/' },
]

const keyClass =
  'flex h-10 min-w-10 flex-1 items-center justify-center rounded-control border border-line-strong bg-surface font-mono text-13 active:bg-raised'

/** A row of keys for fingers; not there where a mouse and so a keyboard is. */
export function TouchKeys({
  ctrl,
  onCtrl,
  onKey,
}: {
  /** The next character is typed with Ctrl. */
  ctrl: boolean
  onCtrl: () => void
  onKey: (sends: string) => void
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a row of buttons is no fieldset
    <div
      role="group"
      aria-label={t.label}
      // Taking the focus would close the screen keyboard.
      onPointerDown={(event) => event.preventDefault()}
      className="hidden gap-1.5 overflow-x-auto border-line border-t bg-sunken p-1.5 pointer-coarse:flex"
    >
      <button
        type="button"
        aria-pressed={ctrl}
        onClick={onCtrl}
        className={cx(keyClass, ctrl && 'border-ember-solid! bg-ember-solid! text-on-ember')}
      >
        Ctrl
      </button>
      {keys().map((key) => (
        <button
          key={key.face}
          type="button"
          aria-label={key.label}
          onClick={() => onKey(key.sends)}
          className={keyClass}
        >
          {key.face}
        </button>
      ))}
    </div>
  )
}
