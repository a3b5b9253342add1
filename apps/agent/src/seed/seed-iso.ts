/** The seed disk: the NoCloud documents on an ISO 9660 image labelled `cidata`, attached read only. */
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from '../host/command.ts'
import { syncFolder, temporaryPrefix } from '../store/atomic-file.ts'
import type { SeedDocuments } from './cloud-init.ts'

export async function writeSeedIso(path: string, documents: SeedDocuments): Promise<void> {
  const folder = dirname(path)
  const source = join(folder, `${temporaryPrefix}seed`)
  const temporary = join(folder, `${temporaryPrefix}seed.iso`)
  await rm(source, { recursive: true, force: true })
  await mkdir(source, { mode: 0o700 })
  try {
    for (const [name, text] of Object.entries(documents))
      await writeFile(join(source, name), text, { mode: 0o600 })
    await run('genisoimage', ['-quiet', '-output', temporary, '-volid', 'cidata', '-joliet', '-rock', source])
    const file = await open(temporary, 'r')
    try {
      await file.chmod(0o600)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(folder)
  } finally {
    await rm(source, { recursive: true, force: true })
    await rm(temporary, { force: true })
  }
}
