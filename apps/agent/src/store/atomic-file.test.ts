import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readJson, writeJsonAtomic } from './atomic-file.ts'

test('a file that is rewritten is never seen half, though its writer is killed again and again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-atomic-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'state.json')
  const program = `
    import { writeJsonAtomic } from ${JSON.stringify(new URL('./atomic-file.ts', import.meta.url).href)}
    let n = 0
    process.stdout.write('up')
    for (;;) await writeJsonAtomic(${JSON.stringify(path)}, { n: ++n, filler: 'x'.repeat(200_000), end: n })`
  for (let round = 0; round < 4; round++) {
    const writer = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => writer.stdout.once('data', resolve))
    let whole = 0
    while (whole < 20) {
      const value = (await readJson(path)) as { n: number; end: number } | undefined
      if (!value) continue
      assert.equal(value.n, value.end)
      whole++
    }
    const gone = new Promise((resolve) => writer.once('exit', resolve))
    writer.kill('SIGKILL')
    await gone
    const last = (await readJson(path)) as { n: number; end: number }
    assert.equal(last.n, last.end)
  }
})

test('a failed write leaves the old file and nothing beside it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-atomic-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'state.json')
  await writeJsonAtomic(path, { good: true })
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const circular: Record<string, unknown> = {}
  circular.self = circular
  await assert.rejects(writeJsonAtomic(path, circular))
  await assert.rejects(writeJsonAtomic(join(folder, 'absent', 'state.json'), {}), { code: 'ENOENT' })
  assert.deepEqual(await readdir(folder), ['state.json'])
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { good: true })
  assert.equal(await readJson(join(folder, 'absent.json')), undefined)
})
