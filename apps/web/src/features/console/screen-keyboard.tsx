'use client'
import { type RefObject, useState } from 'react'
import { m } from '../../messages/all.ts'
import { cx } from '../../ui/cx.ts'
import type { DisplayConsole } from './use-display-console.ts'

const t = m.console.touch
const modifiers = [
  { face: 'Ctrl', code: 'ControlLeft' },
  { face: 'Alt', code: 'AltLeft' },
] as const
const keys = (): readonly { face: string; label: string; code: string }[] => [
  { face: 'Esc', label: t.escape, code: 'Escape' },
  { face: 'Tab', label: t.tab, code: 'Tab' },
  { face: '↑', label: t.up, code: 'ArrowUp' },
  { face: '↓', label: t.down, code: 'ArrowDown' },
  { face: '←', label: t.left, code: 'ArrowLeft' },
  { face: '→', label: t.right, code: 'ArrowRight' },
]
const keyClass =
  'flex h-10 min-w-10 flex-1 items-center justify-center rounded-control border border-line-strong bg-surface font-mono text-13 active:bg-raised'

/** X's numbers of what is no character. */
const BACKSPACE = 0xff08
const RETURN = 0xff0d
/** Keysyms of characters beyond Latin-1 are their code points with this bit. */
const UNICODE = 0x0100_0000

export function keysymOf(character: string): number {
  const code = character.codePointAt(0)!
  return code <= 0xff ? code : UNICODE | code
}

/**
 * For fingers: an unseen field that brings the phone's keyboard up and hands on what it writes, and a row of the
 * keys such a keyboard lacks.
 */
export function ScreenKeyboard({
  console: screen,
  field,
}: {
  console: DisplayConsole
  field: RefObject<HTMLTextAreaElement | null>
}) {
  const [held, setHeld] = useState<readonly string[]>([])
  const letGo = () => {
    for (const code of held) screen.press(code, false)
    setHeld([])
  }
  const character = (keysym: number) => {
    screen.typeCharacter(keysym)
    letGo()
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a row of buttons is no fieldset
    <div
      role="group"
      aria-label={t.label}
      onPointerDown={(event) => {
        // Taking the focus would close the screen keyboard.
        if (event.target !== field.current) event.preventDefault()
      }}
      className="relative hidden gap-1.5 overflow-x-auto border-line border-t bg-sunken p-1.5 pointer-coarse:flex"
    >
      <textarea
        ref={field}
        aria-label={m.display.screenKeys}
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        // Something to delete, or phones tell nothing of the backspace key.
        value=" "
        onChange={() => {}}
        onBeforeInput={(event) => {
          const { inputType, data } = event.nativeEvent as InputEvent
          event.preventDefault()
          if (inputType === 'deleteContentBackward') character(BACKSPACE)
          else if (inputType === 'insertLineBreak' || data === '\n') character(RETURN)
          else for (const each of data ?? '') character(keysymOf(each))
        }}
        onKeyDown={(event) => {
          if (event.key === 'Backspace') character(BACKSPACE)
          else if (event.key === 'Enter') character(RETURN)
          else return
          event.preventDefault()
        }}
        className="absolute bottom-0 left-0 size-px resize-none opacity-0"
      />
      {modifiers.map(({ face, code }) => (
        <button
          key={code}
          type="button"
          aria-pressed={held.includes(code)}
          onClick={() => {
            const down = !held.includes(code)
            screen.press(code, down)
            setHeld(down ? [...held, code] : held.filter((each) => each !== code))
          }}
          className={cx(keyClass, held.includes(code) && 'border-ember-solid! bg-ember-solid! text-on-ember')}
        >
          {face}
        </button>
      ))}
      {keys().map(({ face, label, code }) => (
        <button
          key={code}
          type="button"
          aria-label={label}
          onClick={() => {
            screen.press(code, true)
            screen.press(code, false)
            letGo()
          }}
          className={keyClass}
        >
          {face}
        </button>
      ))}
    </div>
  )
}
