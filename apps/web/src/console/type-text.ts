/**
 * Text typed as keys, for a guest that knows no clipboard: each character becomes the key that bears it on the
 * guest's keyboard, with Shift or AltGr held. Pure but for `press` and `pause`.
 */
import { type LayoutName, layout } from '@hearth/shared/keyboard-layouts'

export interface KeyStroke {
  /** KeyboardEvent.code. */
  readonly code: string
  readonly shift: boolean
  readonly altGr: boolean
}

/** Linux's numbers of the keys that bear characters, as KeyboardEvent.code. */
const codes: Readonly<Record<number, string>> = {
  41: 'Backquote',
  12: 'Minus',
  13: 'Equal',
  26: 'BracketLeft',
  27: 'BracketRight',
  39: 'Semicolon',
  40: 'Quote',
  43: 'Backslash',
  51: 'Comma',
  52: 'Period',
  53: 'Slash',
  57: 'Space',
  86: 'IntlBackslash',
  ...numbered(2, '1234567890', 'Digit'),
  ...numbered(16, 'QWERTYUIOP', 'Key'),
  ...numbered(30, 'ASDFGHJKL', 'Key'),
  ...numbered(44, 'ZXCVBNM', 'Key'),
}

function numbered(first: number, faces: string, prefix: string): Record<number, string> {
  return Object.fromEntries([...faces].map((face, index) => [first + index, prefix + face]))
}

const control: Readonly<Record<string, string>> = { '\n': 'Enter', '\t': 'Tab' }

/** The keys for `text`, and the characters that no key of the layout bears. */
export function keyStrokes(text: string, name: LayoutName): { strokes: KeyStroke[]; missing: string[] } {
  const characters = layout(name)
  const strokes: KeyStroke[] = []
  const missing = new Set<string>()
  for (const character of text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')) {
    const named = control[character]
    const key = characters.get(character)
    const code = named ?? (key && codes[key.key])
    if (code === undefined) missing.add(character)
    else strokes.push({ code, shift: key?.shift ?? false, altGr: key?.altGr ?? false })
  }
  return { strokes, missing: [...missing] }
}

/** About as many in a pause (of 30 ms) as the VM's keyboard hands to its guest meanwhile: what waits there is bounded. */
const burst = 8

export async function typeStrokes(
  strokes: readonly KeyStroke[],
  { press, pause }: { press: (code: string, down: boolean) => void; pause: () => Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  for (const [index, { code, shift, altGr }] of strokes.entries()) {
    if (index % burst === burst - 1) await pause()
    if (signal.aborted) return
    if (shift) press('ShiftLeft', true)
    if (altGr) press('AltRight', true)
    press(code, true)
    press(code, false)
    if (altGr) press('AltRight', false)
    if (shift) press('ShiftLeft', false)
  }
}
