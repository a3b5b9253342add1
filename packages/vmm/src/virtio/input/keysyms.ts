import { type LayoutKey, type LayoutName, layout } from '@hearth/shared/keyboard-layouts'

/** Keysyms (X11's keysymdef.h) of keys that no layout moves, and Linux's codes for them. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [0xff08, 14], // BackSpace
  [0xff09, 15], // Tab
  [0xfe20, 15], // ISO_Left_Tab
  [0xff0d, 28], // Return
  [0xff13, 119], // Pause
  [0xff14, 70], // Scroll_Lock
  [0xff15, 99], // Sys_Req
  [0xff61, 99], // Print
  [0xff1b, 1], // Escape
  [0xff50, 102], // Home
  [0xff51, 105], // Left
  [0xff52, 103], // Up
  [0xff53, 106], // Right
  [0xff54, 108], // Down
  [0xff55, 104], // Page_Up
  [0xff56, 109], // Page_Down
  [0xff57, 107], // End
  [0xff63, 110], // Insert
  [0xffff, 111], // Delete
  [0xff67, 127], // Menu
  [0xff7f, 69], // Num_Lock
  [0xff8d, 96], // KP_Enter
  [0xffaa, 55], // KP_Multiply
  [0xffab, 78], // KP_Add
  [0xffad, 74], // KP_Subtract
  [0xffae, 83], // KP_Decimal
  [0xffaf, 98], // KP_Divide
  [0xffb0, 82], // KP_0
  [0xffb1, 79],
  [0xffb2, 80],
  [0xffb3, 81],
  [0xffb4, 75],
  [0xffb5, 76],
  [0xffb6, 77],
  [0xffb7, 71],
  [0xffb8, 72],
  [0xffb9, 73],
  [0xffbe, 59], // F1
  [0xffbf, 60],
  [0xffc0, 61],
  [0xffc1, 62],
  [0xffc2, 63],
  [0xffc3, 64],
  [0xffc4, 65],
  [0xffc5, 66],
  [0xffc6, 67],
  [0xffc7, 68],
  [0xffc8, 87],
  [0xffc9, 88],
  [0xffe1, 42], // Shift_L
  [0xffe2, 54], // Shift_R
  [0xffe3, 29], // Control_L
  [0xffe4, 97], // Control_R
  [0xffe5, 58], // Caps_Lock
  [0xffe7, 125], // Meta_L
  [0xffe8, 126], // Meta_R
  [0xffe9, 56], // Alt_L
  [0xffea, 100], // Alt_R
  [0xfe03, 100], // ISO_Level3_Shift
  [0xffeb, 125], // Super_L
  [0xffec, 126], // Super_R
])

/** What types a keysym: a key that needs no modifiers of its own, or one on a certain level. Undefined: not on this keyboard. */
export function keyOfKeysym(keysym: number, name: LayoutName): number | LayoutKey | undefined {
  const fixed = FIXED.get(keysym)
  if (fixed !== undefined) return fixed
  const character = characterOf(keysym)
  return character === undefined ? undefined : layout(name).get(character)
}

/** keysymdef.h: Latin-1 is itself, Unicode lies at 0x01000000, and the Euro sign has a number of its own. */
function characterOf(keysym: number): string | undefined {
  if ((keysym >= 0x20 && keysym <= 0x7e) || (keysym >= 0xa0 && keysym <= 0xff))
    return String.fromCodePoint(keysym)
  if (keysym === 0x20ac) return '€'
  if (keysym >= 0x0100_0100 && keysym <= 0x0110_ffff) return String.fromCodePoint(keysym - 0x0100_0000)
  return undefined
}
