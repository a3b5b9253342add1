/** What a PC keyboard sends for a key, and what the controller makes of it. */
import { scancodeOfKey } from '../virtio/input/scancodes.ts'

/**
 * The controller's translation from scan code set 2, which keyboards send, to set 1, which programs of the PC's first
 * days read. Codes from 0x80 on stay as they are, but for two.
 */
const TO_SET_1 = Uint8Array.from(
  [
    'ff43413f3d3b3c58644442403e0f2959',
    '65382a701d10025a66712c1f1e11035b',
    '672e2d201205045c68392f211413065d',
    '693130232215075e6a7232241608095f',
    '6b332517180b0a606c34352627190c61',
    '6d7328741a0d626e3a361c1b752b6376',
    '55567778797a0e7b7c4f7d4b477e7f6f',
    '5253504c4d480145574e514a37494654',
  ]
    .join('')
    .match(/../g)!
    .map((byte) => Number.parseInt(byte, 16)),
)
const F7 = { set2: 0x83, set1: 0x41 } as const
const SYSRQ = { set2: 0x84, set1: 0x54 } as const

export function translate(code: number): number {
  if (code === F7.set2) return F7.set1
  if (code === SYSRQ.set2) return SYSRQ.set1
  return TO_SET_1[code] ?? code
}

const toSet2 = new Uint8Array(128)
for (const [code, translated] of TO_SET_1.entries()) if (translated < 128) toSet2[translated] = code
toSet2[F7.set1] = F7.set2
toSet2[SYSRQ.set1] = SYSRQ.set2

const EXTENDED = 0xe0
const RELEASED = 0xf0
const KEY_PAUSE = 119
/** It says both at once when it is pressed, and nothing when it is let go. */
const PAUSE = [0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77] as const

/** The bytes of set 2 for a key by its evdev code; none for one that such a keyboard does not have. */
export function bytesOfKey(key: number, down: boolean): readonly number[] {
  if (key === KEY_PAUSE) return down ? PAUSE : []
  const scancode = scancodeOfKey(key)
  const code = toSet2[scancode & 0x7f]!
  if (scancode === 0 || code === 0) return []
  return [...(scancode & 0x80 ? [EXTENDED] : []), ...(down ? [] : [RELEASED]), code]
}
