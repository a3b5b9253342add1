import { GRID_COLUMNS, type TileSet } from './tiles.ts'

/**
 * Empties a set of tiles as rectangles in reading order, each as wide as its first row allows and then as high as
 * that width does. `same` may narrow a rectangle to tiles that go together. `visit` gets columns and rows, and
 * returns false to stop; the tiles of what was visited are gone from the set, the others stay.
 */
export function takeRects(
  tiles: TileSet,
  visit: (column: number, row: number, columns: number, rows: number) => boolean,
  same: (tile: number, first: number) => boolean = always,
): void {
  let going = true
  tiles.forEach((first, column, row) => {
    // A rectangle further up may have taken it since the walk fetched its word.
    if (!going || !tiles.has(first)) return
    let columns = 1
    while (column + columns < GRID_COLUMNS && tiles.has(first + columns) && same(first + columns, first)) {
      columns++
    }
    let rows = 1
    while (rowFits(tiles, first + rows * GRID_COLUMNS, columns, first, same)) rows++
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) tiles.remove(first + r * GRID_COLUMNS + c)
    }
    going = visit(column, row, columns, rows)
  })
}

const always = (): boolean => true

function rowFits(
  tiles: TileSet,
  start: number,
  columns: number,
  first: number,
  same: (tile: number, first: number) => boolean,
): boolean {
  for (let c = 0; c < columns; c++) {
    if (!tiles.has(start + c) || !same(start + c, first)) return false
  }
  return true
}
