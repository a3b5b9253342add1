/**
 * From PC scancodes to Linux's key codes. A scancode is XT set 1, with 0x80 added for an E0 prefix: the keycode of
 * the QEMU Extended Key Event. Names and numbers of the right side are input-event-codes.h's.
 */

/** Below 0x54 Linux took its numbers from set 1; from there on they part. */
const LAST_EQUAL = 0x53

const PLAIN: readonly (readonly [number, number])[] = [
  [0x54, 99], // SysRq (Alt+PrintScreen; noVNC's PrintScreen): KEY_SYSRQ
  [0x56, 86], // the key beside the left Shift: KEY_102ND
  [0x57, 87], // F11
  [0x58, 88], // F12
  [0x59, 117], // KEY_KPEQUAL
  [0x5b, 183], // F13
  [0x5c, 184],
  [0x5d, 185],
  [0x63, 186],
  [0x64, 183], // F13 to F23 as USB keyboards translate them
  [0x65, 184],
  [0x66, 185],
  [0x67, 186],
  [0x68, 187],
  [0x69, 188],
  [0x6a, 189],
  [0x6b, 190],
  [0x6c, 191],
  [0x6d, 192],
  [0x6e, 193],
  [0x70, 93], // KEY_KATAKANAHIRAGANA
  [0x73, 89], // KEY_RO
  [0x76, 194], // F24
  [0x77, 91], // KEY_HIRAGANA
  [0x78, 90], // KEY_KATAKANA
  [0x79, 92], // KEY_HENKAN
  [0x7b, 94], // KEY_MUHENKAN
  [0x7d, 124], // KEY_YEN
  [0x7e, 121], // KEY_KPCOMMA
]

const EXTENDED: readonly (readonly [number, number])[] = [
  [0x10, 165], // KEY_PREVIOUSSONG
  [0x19, 163], // KEY_NEXTSONG
  [0x1c, 96], // KEY_KPENTER
  [0x1d, 97], // KEY_RIGHTCTRL
  [0x20, 113], // KEY_MUTE
  [0x21, 140], // KEY_CALC
  [0x22, 164], // KEY_PLAYPAUSE
  [0x24, 166], // KEY_STOPCD
  [0x2e, 114], // KEY_VOLUMEDOWN
  [0x30, 115], // KEY_VOLUMEUP
  [0x32, 172], // KEY_HOMEPAGE
  [0x35, 98], // KEY_KPSLASH
  [0x37, 99], // KEY_SYSRQ
  [0x38, 100], // KEY_RIGHTALT
  [0x45, 69], // KEY_NUMLOCK
  [0x46, 119], // KEY_PAUSE
  [0x47, 102], // KEY_HOME
  [0x48, 103], // KEY_UP
  [0x49, 104], // KEY_PAGEUP
  [0x4b, 105], // KEY_LEFT
  [0x4d, 106], // KEY_RIGHT
  [0x4f, 107], // KEY_END
  [0x50, 108], // KEY_DOWN
  [0x51, 109], // KEY_PAGEDOWN
  [0x52, 110], // KEY_INSERT
  [0x53, 111], // KEY_DELETE
  [0x5b, 125], // KEY_LEFTMETA
  [0x5c, 126], // KEY_RIGHTMETA
  [0x5d, 127], // KEY_COMPOSE
  [0x5e, 116], // KEY_POWER
  [0x5f, 142], // KEY_SLEEP
  [0x63, 143], // KEY_WAKEUP
  [0x65, 217], // KEY_SEARCH
  [0x66, 156], // KEY_BOOKMARKS
  [0x67, 173], // KEY_REFRESH
  [0x68, 128], // KEY_STOP
  [0x69, 159], // KEY_FORWARD
  [0x6a, 158], // KEY_BACK
  [0x6b, 157], // KEY_COMPUTER
  [0x6c, 155], // KEY_MAIL
  [0x6d, 226], // KEY_MEDIA
]

const table = new Uint8Array(256)
for (let code = 1; code <= LAST_EQUAL; code++) table[code] = code
for (const [scancode, key] of PLAIN) table[scancode] = key
for (const [scancode, key] of EXTENDED) table[0x80 | scancode] = key

/** The key of a scancode, or 0 for one that no keyboard has. */
export function keyOfScancode(scancode: number): number {
  return table[scancode & 0xff]!
}

const byKey = new Map<number, number>()
// A key with two scancodes has the one without a prefix.
for (const [scancode, key] of table.entries()) if (key !== 0 && !byKey.has(key)) byKey.set(key, scancode)

/** The scancode of a key, or 0. */
export const scancodeOfKey = (key: number): number => byKey.get(key) ?? 0

/** Every key a keyboard of ours may press. */
export const allKeys: readonly number[] = [...new Set(table)].filter((key) => key !== 0).sort((a, b) => a - b)
