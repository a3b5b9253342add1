/** Where a running lab keeps its sockets and settings: a folder of its own, short enough for a unix socket's path. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { isAlive } from '../lib/process.ts'

const PREFIX = 'hearth-lab-'

/** Makes a new one, and removes those whose process is gone (killed, or the power was cut). */
export async function runDirectory(): Promise<string> {
  const base = os.tmpdir()
  for (const name of await readdir(base)) {
    if (name.startsWith(PREFIX)) await removeIfAbandoned(path.join(base, name))
  }
  const directory = await mkdtemp(path.join(base, PREFIX))
  await writeFile(path.join(directory, 'owner'), String(process.pid))
  return directory
}

async function removeIfAbandoned(directory: string): Promise<void> {
  const owner = Number(await readFile(path.join(directory, 'owner'), 'utf8').catch(() => ''))
  if (!owner || isAlive(owner)) return
  await rm(directory, { recursive: true, force: true }).catch(() => {})
}
