import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { cachedFolder } from './cache.ts'
import { lockFile, lockHolder, tryLockFile } from './file-lock.ts'

test('a lock is held once, waited for, and given back when its holder is killed', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-lock-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = path.join(folder, 'lock')
  const first = await lockFile(file)
  assert.equal(await tryLockFile(file), undefined)
  assert.equal(await lockHolder(file), `process ${process.pid}`)
  let waited = false
  const second = lockFile(file, () => {
    waited = true
    void first.release()
  })
  await (await second).release()
  assert.ok(waited)

  const program = `import { lockFile } from ${JSON.stringify(path.join(import.meta.dirname, 'file-lock.ts'))}
    await lockFile(${JSON.stringify(file)}); console.log('held'); setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  assert.equal(await tryLockFile(file), undefined)
  holder.kill('SIGKILL')
  await (await lockFile(file)).release()
})

test('a cached folder is made once, whole or not at all', async (t) => {
  const cache = await mkdtemp(path.join(os.tmpdir(), 'hearth-cache-'))
  t.after(() => rm(cache, { recursive: true }))
  await assert.rejects(
    cachedFolder(cache, 'thing', async (folder) => {
      await writeFile(path.join(folder, 'half'), '')
      throw new Error('the mirror is away')
    }),
    /mirror is away/,
  )
  await assert.rejects(stat(path.join(cache, 'thing')))
  let made = 0
  const make = async (folder: string): Promise<void> => {
    made++
    await writeFile(path.join(folder, 'file'), '')
  }
  const folders = await Promise.all([1, 2, 3].map(() => cachedFolder(cache, 'thing', make)))
  assert.equal(made, 1)
  assert.deepEqual(await readdir(folders[0]!), ['file'])
})
