import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HearthError } from '@hearth/shared/errors'
import { startBuilder, testToken } from '../testing/agent-harness.ts'
import { BuilderClient } from './builder-client.ts'

const recipe = {
  imageUid: 'debian-12',
  name: 'Debian 12',
  description: '',
  recipeHash: 'h',
  ...{ kind: 'disk', source: 'build', boot: 'direct', version: '', origin: '', downloadBytes: 0 },
  cloudInit: true,
  loginUser: 'debian',
  minMemoryBytes: 1,
  minDiskBytes: 0,
}

test('recipes are read, and only with the token', async () => {
  const builder = await startBuilder([recipe], () => {})
  assert.deepEqual(await new BuilderClient({ url: builder.url, token: testToken }).recipes(), [recipe])
  await assert.rejects(new BuilderClient({ url: builder.url, token: 'wrong' }).recipes(), /answered 401/)
  await builder.close()
  await assert.rejects(new BuilderClient({ url: builder.url, token: testToken }).recipes())
})

test('a build is followed across broken connections to its end', async () => {
  const builder = await startBuilder([recipe], (imageUid, attempt, send, end) => {
    send({ type: 'progress', progress: attempt * 10, step: `attempt ${attempt}` })
    if (attempt === 1) setImmediate(() => end('break'))
    // A connection that ends politely but without a result is no end either.
    else if (attempt === 2) end('end')
    else {
      send({ type: 'done', imageUid })
      end('end')
    }
  })
  const seen: string[] = []
  await new BuilderClient({ url: builder.url, token: testToken }).followBuild('debian-12', {
    retryDelayMs: 5,
    onProgress: (progress, step) => seen.push(`${progress} ${step}`),
  })
  assert.equal(builder.attempts(), 3)
  assert.deepEqual(seen.slice(-2), ['20 attempt 2', '30 attempt 3'])
  await builder.close()
})

test("a failed build ends with the builder's own words, a lost builder with what to do", async () => {
  const builder = await startBuilder([recipe], (_imageUid, _attempt, send, end) => {
    send({ type: 'failed', message: 'No room on the disk.' })
    end('end')
  })
  const client = new BuilderClient({ url: builder.url, token: testToken })
  const failed = (pattern: RegExp) => (error: unknown) => {
    assert.ok(error instanceof HearthError)
    assert.equal(error.code, 'image_build_failed')
    assert.match(error.userMessage, pattern)
    return true
  }
  await assert.rejects(client.followBuild('debian-12'), failed(/^No room on the disk\.$/))
  await builder.close()
  await assert.rejects(
    client.followBuild('debian-12', { retryDelayMs: 5, giveUpAfterMs: 50 }),
    failed(/cannot be reached/),
  )
})

test('following stops when it is told to', async () => {
  const abort = new AbortController()
  const builder = await startBuilder([recipe], (_imageUid, _attempt, send) => {
    send({ type: 'progress', progress: 1, step: 'for ever' })
  })
  const client = new BuilderClient({ url: builder.url, token: testToken })
  const following = client.followBuild('debian-12', {
    signal: abort.signal,
    onProgress: () => abort.abort(new HearthError('cancelled', 'Enough.')),
  })
  await assert.rejects(following, { name: 'HearthError', code: 'cancelled' })
  await builder.close()
})
