/** Inputs kept in the repository, a folder a target: they are run first, here and in `npm test`. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('./corpus/', import.meta.url))

export function readCorpus(target: string): Uint8Array[] {
  const folder = path.join(root, target)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((name) => new Uint8Array(readFileSync(path.join(folder, name))))
}

/** Keeps an input under the name of its content; returns the file. */
export function keepInput(target: string, input: Uint8Array, kind: 'new' | 'finding'): string {
  const folder = path.join(root, target)
  mkdirSync(folder, { recursive: true })
  const name = createHash('sha256').update(input).digest('hex').slice(0, 12)
  const file = path.join(folder, kind === 'finding' ? `finding-${name}` : name)
  writeFileSync(file, input)
  return file
}
