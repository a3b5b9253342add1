/**
 * `node infra/recipes/builder.ts --images DIR --listen 127.0.0.1:PORT --token-file FILE [--cache DIR]`: the image
 * builder, a small server outside the lab that the agent asks. Ends on SIGTERM or SIGINT, taking a build under way
 * and its temporary folders with it.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { tidyDownloads } from '../images/download-parts.ts'
import { UploadStore } from '../images/uploads.ts'
import { tryLockFile } from '../lab/file-lock.ts'
import { cacheDirectory } from '../lib/paths.ts'
import { Trouble } from '../lib/steps.ts'
import { ensureRecipe, storeLock } from './build.ts'
import { type Builder, BuildQueue } from './build-queue.ts'
import { builderServer } from './builder-server.ts'
import { recipes } from './catalogue.ts'
import { tidyFetches, tidyStore } from './store.ts'

async function main(): Promise<void> {
  const { images, cacheDir, host, port, token } = await settings()
  await tidyUnlessBusy(images)
  await tidyFetches(images)
  await tidyDownloads(images)
  const uploads = new UploadStore(images)
  await uploads.tidy()
  const build: Builder = async (recipe, options) => {
    const built = await ensureRecipe(recipe, { images, cacheDir, ...options })
    console.log(`${new Date().toISOString()} ${recipe.imageUid}: ${built ? 'made' : 'there already'}`)
  }
  const builds = new BuildQueue(build)
  const fetches = new BuildQueue(build, { waiting: 'Waiting for another download' })
  const server = builderServer({ images, recipes, builds, fetches, uploads, token })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Trouble(
          error.code === 'EADDRINUSE'
            ? `The image builder cannot listen on ${host}:${port}: the port is taken.`
            : `The image builder cannot listen on ${host}:${port}: ${error.message}`,
        ),
      ),
    )
    server.listen(port, host, resolve)
  })
  console.log(`${new Date().toISOString()} listening on ${host}:${port}, images in ${images}`)
  const stop = async (): Promise<void> => {
    server.close()
    await Promise.all([builds.stop(), fetches.stop()])
    server.closeAllConnections()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop())
}

async function settings() {
  const { values } = parseArgs({
    options: {
      images: { type: 'string' },
      listen: { type: 'string' },
      'token-file': { type: 'string' },
      cache: { type: 'string' },
    },
  })
  const listen = /^(.+):(\d+)$/.exec(values.listen ?? '')
  if (!values.images || !listen || !values['token-file']) {
    throw new Trouble('usage: builder.ts --images DIR --listen ADDRESS:PORT --token-file FILE [--cache DIR]')
  }
  const token = await readFile(values['token-file'], 'utf8').catch((error: Error) => {
    throw new Trouble(`The token file cannot be read: ${error.message}`)
  })
  if (token.trim() === '') throw new Trouble(`The token file ${values['token-file']} is empty.`)
  return {
    images: path.resolve(values.images),
    cacheDir: path.resolve(values.cache ?? cacheDirectory),
    host: listen[1]!,
    port: Number(listen[2]),
    token: token.trim(),
  }
}

/** Another process (a test, a person) may be building into this store right now. */
async function tidyUnlessBusy(images: string): Promise<void> {
  const lock = await tryLockFile(storeLock(images))
  if (!lock) return
  await tidyStore(images)
  await lock.release()
}

main().catch((error: unknown) => {
  process.stderr.write(`hearth: ${error instanceof Trouble ? error.message : (error as Error).stack}\n`)
  process.exitCode = 1
})
