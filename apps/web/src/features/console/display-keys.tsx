'use client'
import { Keyboard } from 'lucide-react'
import type { ReactNode } from 'react'
import { m } from '../../messages/all.ts'
import { cx } from '../../ui/cx.ts'
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.tsx'
import { Tooltip } from '../../ui/tooltip.tsx'
import { MenuSquare } from './console-bar.tsx'
import type { DisplayConsole } from './use-display-console.ts'

const t = m.display.keys

/** What a browser or its system keeps for itself. Names are what the keys bear, in every language. */
const chords: readonly { face: string; codes: readonly string[] }[] = [
  { face: 'Ctrl+Alt+Del', codes: ['ControlLeft', 'AltLeft', 'Delete'] },
  { face: 'Ctrl+Alt+Backspace', codes: ['ControlLeft', 'AltLeft', 'Backspace'] },
  { face: 'Alt+Tab', codes: ['AltLeft', 'Tab'] },
  { face: 'Alt+F4', codes: ['AltLeft', 'F4'] },
  { face: 'Super', codes: ['MetaLeft'] },
  { face: 'PrtSc', codes: ['PrintScreen'] },
]
const held: readonly { face: string; code: string }[] = [
  { face: 'Ctrl', code: 'ControlLeft' },
  { face: 'Alt', code: 'AltLeft' },
  { face: 'AltGr', code: 'AltRight' },
  { face: 'Shift', code: 'ShiftLeft' },
  { face: 'Super', code: 'MetaLeft' },
]
const functionKeys = Array.from({ length: 12 }, (_, index) => `F${index + 1}`)

export function DisplayKeys({
  console: screen,
  whyDisabled,
  sticky,
  onSticky,
}: {
  console: DisplayConsole
  whyDisabled: string | null
  /** Modifiers that are held until chosen again. */
  sticky: readonly string[]
  onSticky: (codes: readonly string[]) => void
}) {
  function toggle(code: string) {
    const down = !sticky.includes(code)
    screen.press(code, down)
    onSticky(down ? [...sticky, code] : sticky.filter((each) => each !== code))
  }
  const trigger = (
    <MenuSquare
      label={t.menu}
      aria-pressed={sticky.length > 0 || undefined}
      className={sticky.length > 0 ? 'text-ember!' : ''}
    >
      <Keyboard />
    </MenuSquare>
  )
  return (
    <Tooltip text={t.menu} side="bottom">
      <span>
        <Menu trigger={trigger} focusAfter={whyDisabled === null ? screen.focus : undefined}>
          {whyDisabled ? <p className="px-2.5 py-1.5 text-13 text-ink-3">{whyDisabled}</p> : null}
          {chords.map(({ face, codes }) => (
            <MenuItem key={face} off={whyDisabled !== null} onSelect={() => screen.chord(...codes)}>
              <Faces text={face} />
            </MenuItem>
          ))}
          <MenuSeparator />
          <Row title={t.holdTitle}>
            {held.map(({ face, code }) => (
              <Key
                key={code}
                label={t.hold(face)}
                pressed={sticky.includes(code)}
                whyDisabled={whyDisabled}
                onClick={() => toggle(code)}
              >
                {face}
              </Key>
            ))}
          </Row>
          <Row title={t.functionKeys}>
            {functionKeys.map((key) => (
              <Key
                key={key}
                label={`Ctrl+Alt+${key}`}
                whyDisabled={whyDisabled}
                onClick={() => screen.chord('ControlLeft', 'AltLeft', key)}
              >
                {key}
              </Key>
            ))}
          </Row>
        </Menu>
      </span>
    </Tooltip>
  )
}

function Row({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="px-1.5 pt-1 pb-1.5">
      <div className="px-1 pb-1 text-ink-3 text-xs">{title}</div>
      <div className="flex flex-wrap gap-1">{children}</div>
    </div>
  )
}

function Key({
  label,
  pressed,
  whyDisabled,
  onClick,
  children,
}: {
  label: string
  pressed?: boolean
  whyDisabled: string | null
  onClick: () => void
  children: ReactNode
}) {
  return (
    <button
      type="button"
      aria-label={label}
      aria-pressed={pressed}
      aria-disabled={whyDisabled ? true : undefined}
      onClick={whyDisabled ? undefined : onClick}
      className={cx(
        'min-w-9 rounded-[5px] border border-b-2 px-1.5 text-xs leading-6 aria-disabled:opacity-55',
        pressed
          ? 'border-ember-solid bg-ember-solid text-on-ember'
          : 'border-line-strong bg-surface text-ink hover:bg-raised',
      )}
    >
      {children}
    </button>
  )
}

function Faces({ text }: { text: string }) {
  return (
    <span className="flex flex-wrap items-center gap-1">
      {text.split('+').map((face) => (
        <kbd
          key={face}
          className="rounded-[5px] border border-line-strong border-b-2 bg-surface px-1.5 font-sans text-ink text-xs leading-5"
        >
          {face}
        </kbd>
      ))}
    </span>
  )
}
