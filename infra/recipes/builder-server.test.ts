import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { type BuildEvent, buildEventSchema, recipeSchema } from '@hearth/shared/image'
import { z } from 'zod'
import { UploadStore } from '../images/uploads.ts'
import { type Builder, BuildQueue } from './build-queue.ts'
import { builderServer } from './builder-server.ts'
import { trivialRecipe } from './testing.ts'

const recipes = [trivialRecipe('one'), trivialRecipe('two')]

async function serve(t: TestContext, builder: Builder) {
  const images = await mkdtemp(path.join(os.tmpdir(), 'hearth-builder-'))
  const queue = new BuildQueue(builder)
  const fetches = new BuildQueue(builder)
  const uploads = new UploadStore(images)
  const server = builderServer({ images, recipes, builds: queue, fetches, uploads, token: 'secret' })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.after(async () => {
    await queue.stop()
    server.closeAllConnections()
    server.close()
    await rm(images, { recursive: true })
  })
  const headers = { authorization: 'Bearer secret' }
  /** Resolves when the builder has taken the request, with the events still to come. */
  const begin = async (image: string): Promise<{ events: Promise<BuildEvent[]> }> => {
    const response = await fetch(`${url}/recipes/${image}/build`, { method: 'POST', headers })
    assert.equal(response.status, 200)
    const parse = (line: string): BuildEvent => buildEventSchema.parse(JSON.parse(line))
    return { events: response.text().then((text) => text.trim().split('\n').map(parse)) }
  }
  const build = async (image: string): Promise<BuildEvent[]> => (await begin(image)).events
  return { url, headers, begin, build, queue }
}

/** A builder under the test's control: builds go on until they are let go. */
function gatedBuilder() {
  const running: string[] = []
  const gates = new Map<string, PromiseWithResolvers<void>>()
  const gate = (image: string): PromiseWithResolvers<void> => {
    const found = gates.get(image) ?? Promise.withResolvers<void>()
    gates.set(image, found)
    return found
  }
  const builder: Builder = async (recipe, { signal, onProgress }) => {
    running.push(recipe.imageUid)
    onProgress(10, 'begun')
    const { promise, reject } = gate(recipe.imageUid)
    signal.addEventListener('abort', () => reject(new Error('stopped')))
    await promise
    onProgress(90, 'nearly')
  }
  return { builder, running, letGo: (image: string) => gate(image).resolve() }
}

test('recipes are listed for whoever has the token, health for everybody', async (t) => {
  const { url, headers } = await serve(t, async () => {})
  const listed = await (await fetch(`${url}/recipes`, { headers })).json()
  assert.deepEqual(
    z
      .array(z.strictObject(recipeSchema.shape))
      .parse(listed)
      .map((recipe) => recipe.imageUid),
    ['one', 'two'],
  )
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  for (const authorization of ['', 'Bearer wrong', 'secret']) {
    assert.equal((await fetch(`${url}/recipes`, { headers: { authorization } })).status, 401)
  }
  const unknown = await fetch(`${url}/recipes/three/build`, { method: 'POST', headers })
  assert.equal(unknown.status, 404)
  assert.equal((await fetch(`${url}/other`, { headers })).status, 404)
})

test('a build tells its progress and ends with done or with why not', async (t) => {
  const { build } = await serve(t, async (recipe, { onProgress }) => {
    onProgress(40, 'some')
    onProgress(40, 'some')
    if (recipe.imageUid === 'two') throw new Error('no space')
  })
  const events = await build('one')
  assert.deepEqual(events.slice(1), [
    { type: 'progress', progress: 40, step: 'some' },
    { type: 'done', imageUid: 'one' },
  ])
  assert.deepEqual((await build('two')).at(-1), { type: 'failed', message: 'no space' })
  assert.equal((await build('two')).at(-1)?.type, 'failed', 'a failed build can be tried again')
})

test('a second caller joins, another image waits its turn, and a caller who leaves stops nothing', async (t) => {
  const { builder, running, letGo } = gatedBuilder()
  const { url, headers, begin, queue } = await serve(t, builder)
  const leaver = httpRequest(`${url}/recipes/one/build`, { method: 'POST', headers })
  leaver.on('error', () => {})
  leaver.end()
  const [response] = await once(leaver, 'response')
  await once(response, 'data')
  leaver.destroy()
  const joined = await begin('one')
  const waiting = await begin('two')
  const seen: BuildEvent[] = []
  await new Promise<void>((resolve) => {
    queue.follow(recipes[1]!, (event) => {
      seen.push(event)
      resolve()
    })
  })
  assert.deepEqual(seen, [{ type: 'progress', progress: 0, step: 'Waiting for another image to be built' }])
  assert.deepEqual(running, ['one'])
  letGo('one')
  assert.equal((await joined.events).at(-1)?.type, 'done')
  letGo('two')
  assert.equal((await waiting.events).at(-1)?.type, 'done')
  assert.deepEqual(running, ['one', 'two'])
})

test('stopping ends the build under way and fails those that wait', async (t) => {
  const { builder, running } = gatedBuilder()
  const { begin, queue } = await serve(t, builder)
  const both = [await begin('one'), await begin('two')]
  await new Promise<void>((resolve) => {
    queue.follow(recipes[0]!, (event) => {
      if (event.type === 'progress' && event.progress === 10) resolve()
    })
  })
  await queue.stop()
  const ends = await Promise.all(both.map(({ events }) => events))
  assert.deepEqual(
    ends.map((events) => events.at(-1)?.type),
    ['failed', 'failed'],
  )
  assert.deepEqual(running, ['one'])
})
