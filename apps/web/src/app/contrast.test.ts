import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Reads `--name: light-dark(oklch(…), oklch(…))` from tokens.css. */
function readTokens(): Map<string, [Oklch, Oklch]> {
  const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')
  const tokens = new Map<string, [Oklch, Oklch]>()
  for (const [, name, light, dark] of css.matchAll(
    /--([\w-]+):\s*light-dark\(oklch\(([^)]*)\),\s*oklch\(([^)]*)\)\)/g,
  ))
    tokens.set(name!, [parse(light!), parse(dark!)])
  return tokens
}

type Oklch = readonly [l: number, c: number, h: number]
function parse(text: string): Oklch {
  const [l = Number.NaN, c = 0, h = 0] = text.split('/')[0]!.trim().split(/\s+/).map(Number)
  return [l, c, h]
}

/** Relative luminance as WCAG 2.2 defines it, by way of Oklab (Ottosson) to linear sRGB, clipped to the gamut. */
function luminance([l, c, h]: Oklch): number {
  const a = c * Math.cos((h * Math.PI) / 180)
  const b = c * Math.sin((h * Math.PI) / 180)
  const l_ = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m_ = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s_ = (l - 0.0894841775 * a - 1.291485548 * b) ** 3
  const clip = (value: number) => Math.min(1, Math.max(0, value))
  const red = clip(4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_)
  const green = clip(-1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_)
  const blue = clip(-0.0041960863 * l_ - 0.7034186147 * m_ + 1.707614701 * s_)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: Oklch, other: Oklch): number {
  const [high, low] = [luminance(one), luminance(other)].sort((x, y) => y - x)
  return (high! + 0.05) / (low! + 0.05)
}

/** Every pair of the portal that carries words, with the ground it stands on. */
const text: [fore: string, grounds: string[]][] = [
  ['ink', ['canvas', 'sunken', 'surface', 'raised', 'overlay', 'ember-soft', 'warn-soft', 'bad-soft']],
  [
    'ink-2',
    ['canvas', 'sunken', 'surface', 'raised', 'overlay', 'ember-soft', 'warn-soft', 'bad-soft', 'quiet-soft'],
  ],
  ['ink-3', ['canvas', 'sunken', 'surface', 'raised', 'overlay']],
  ['ember', ['canvas', 'sunken', 'surface', 'ember-soft']],
  ['on-ember', ['ember-solid', 'ember-solid-hover']],
  ['on-bad', ['bad-solid']],
  ['ok', ['surface', 'ok-soft']],
  ['warn', ['surface', 'warn-soft']],
  ['bad', ['surface', 'overlay', 'bad-soft']],
]
/** Edges one must see to find a control, and the ring of focus. */
const edges: [fore: string, grounds: string[]][] = [
  ['control', ['canvas', 'surface', 'overlay']],
  ['ember', ['canvas', 'sunken', 'surface', 'overlay']],
  ...[1, 2, 3, 4, 5, 6].map((n): [string, string[]] => [`chart-${n}`, ['surface', 'canvas']]),
]

for (const [theme, index] of [
  ['light', 0],
  ['dark', 1],
] as const) {
  for (const [pairs, least] of [
    [text, 4.5],
    [edges, 3],
  ] as const)
    for (const [fore, grounds] of pairs)
      for (const ground of grounds)
        test(`${theme}: ${fore} on ${ground} has at least ${least}:1`, () => {
          const tokens = readTokens()
          const ratio = contrast(tokens.get(fore)![index], tokens.get(ground)![index])
          assert.ok(ratio >= least, `${ratio.toFixed(2)}:1`)
        })
}

test('the arithmetic agrees with the definition: black on white is 21:1', () => {
  assert.equal(contrast([0, 0, 0], [1, 0, 0]).toFixed(1), '21.0')
})
