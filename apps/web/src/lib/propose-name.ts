/** Names for machines of a warm house: an adjective and a thing, each a valid RFC 1123 label. */
const adjectives =
  'amber ashen autumn banked bright brisk calm cedar cosy crackling dusky early gentle gilded glowing golden hazel hushed kindled late lively lucid maple mellow quiet rosy rustic sable slow snug soft spruce steady still sunlit tidy velvet warm wild'.split(
    ' ',
  )
const things =
  'alder ash bellows beacon birch brazier candle cedar cinder clay coal copper cottage crane damper ember fern finch flint fox grate hazel hearth heron kettle kiln lantern larch lark log mantel matchbox oak otter owl pine poker quince robin rowan samovar spark stove tinder trivet wick willow wren'.split(
    ' ',
  )

/** A proposal that is not among `taken`. `random` returns 0 (inclusive) to 1 (exclusive). */
export function proposeName(taken: Iterable<string>, random: () => number = Math.random): string {
  const used = new Set(taken)
  const pick = (words: string[]) => words[Math.floor(random() * words.length)]!
  for (let attempt = 0; attempt < 50; attempt++) {
    const name = `${pick(adjectives)}-${pick(things)}`
    if (!used.has(name)) return name
  }
  for (let number = 2; ; number++) {
    const name = `${pick(adjectives)}-${pick(things)}-${number}`
    if (!used.has(name)) return name
  }
}
