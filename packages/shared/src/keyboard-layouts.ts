/**
 * Keyboard layouts as printed on the keys: for viewers that send only characters. A row lists the keys from left
 * to right; each key has one to four characters: plain, Shift, AltGr, Shift+AltGr. A space stands for none. Dead
 * keys are left out: what they would make is composed by the viewer and has to be on a key of its own.
 */
export const layoutNames = ['us', 'gb', 'de', 'fr'] as const
export type LayoutName = (typeof layoutNames)[number]

/** Level of a character: the modifiers that reach it. */
export interface LayoutKey {
  readonly key: number
  readonly shift: boolean
  readonly altGr: boolean
}

/** The rows' first keys in Linux's numbering, and the keys after them. */
const ROWS: readonly (readonly number[])[] = [
  [41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
  [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
  [30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43],
  [86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53],
]

const LAYOUTS: Readonly<Record<LayoutName, readonly string[]>> = {
  us: [
    '`~ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+',
    'qQ wW eE rR tT yY uU iI oO pP [{ ]}',
    'aA sS dD fF gG hH jJ kK lL ;: \'" \\|',
    '<> zZ xX cC vV bB nN mM ,< .> /?',
  ],
  gb: [
    '`¬¦ 1! 2" 3£ 4$€ 5% 6^ 7& 8* 9( 0) -_ =+',
    'qQ wW eEéÉ rR tT yY uUúÚ iIíÍ oOóÓ pP [{ ]}',
    "aAáÁ sS dD fF gG hH jJ kK lL ;: '@ #~",
    '\\| zZ xX cC vV bB nN mM ,< .> /?',
  ],
  de: [
    '␣° 1! 2"² 3§³ 4$ 5% 6& 7/{ 8([ 9)] 0=} ß?\\ ␣',
    'qQ@ wW eE€ rR tT zZ uU iI oO pP üÜ +*~',
    "aA sS dD fF gG hH jJ kK lL öÖ äÄ #'",
    '<>| yY xX cC vV bB nN mMµ ,; .: -_',
  ],
  fr: [
    '² &1 é2~ "3# \'4{ (5[ -6| è7` _8\\ ç9^ à0@ )°] =+}',
    'aA zZ eE€ rR tT yY uU iI oO pP ␣ $£¤',
    'qQ sS dD fF gG hH jJ kK lL mM ù% *µ',
    '<> wW xX cC vV bB nN ,? ;. :/ !§',
  ],
}
/** In the rows above: no character at this level. */
const NONE = '␣'

const cache = new Map<LayoutName, ReadonlyMap<string, LayoutKey>>()

/** Character → the key and modifiers that type it. The first place of a character in the layout wins. */
export function layout(name: LayoutName): ReadonlyMap<string, LayoutKey> {
  const known = cache.get(name)
  if (known !== undefined) return known
  const characters = new Map<string, LayoutKey>()
  for (const [row, text] of LAYOUTS[name].entries()) {
    for (const [column, levels] of text.split(' ').entries()) {
      for (const [level, character] of [...levels].entries()) {
        if (character === NONE || characters.has(character)) continue
        const key = ROWS[row]![column]!
        characters.set(character, { key, shift: (level & 1) !== 0, altGr: (level & 2) !== 0 })
      }
    }
  }
  characters.set(' ', { key: 57, shift: false, altGr: false })
  cache.set(name, characters)
  return characters
}
