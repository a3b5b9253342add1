import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

const SKIPPED = new Set(['node_modules', '.next', 'dist', 'generated', '.git'])

/** A hash over the names and contents of files and folders (test files left out): equal means nothing to build again. */
export function contentHash(root: string, entries: readonly string[], extra = ''): string {
  const hash = createHash('sha256').update(extra)
  const visit = (entry: string): void => {
    const full = path.join(root, entry)
    const stat = statSync(full, { throwIfNoEntry: false })
    if (!stat) return
    if (stat.isDirectory()) {
      if (SKIPPED.has(path.basename(entry))) return
      for (const child of readdirSync(full).sort()) visit(path.join(entry, child))
    } else if (!/\.test\.tsx?$/.test(entry)) {
      hash.update(`${entry}\0${stat.size}\0`).update(readFileSync(full))
    }
  }
  for (const entry of entries) visit(entry)
  return hash.digest('hex')
}
