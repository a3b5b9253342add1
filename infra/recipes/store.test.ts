import assert from 'node:assert/strict'
import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { beforeEach, test } from 'node:test'
import { buildImage } from './build-image.ts'
import type { RecipeDefinition } from './recipe.ts'
import { readManifest, tidyStore } from './store.ts'
import { trivialRecipe } from './testing.ts'

let images: string
beforeEach(async (t) => {
  images = await mkdtemp(path.join(os.tmpdir(), 'hearth-images-'))
  if ('after' in t) t.after(() => rm(images, { recursive: true, force: true }))
})

const build = (recipe: RecipeDefinition, signal = new AbortController().signal): Promise<void> =>
  buildImage(recipe, {
    ...{ images, cacheDir: images, signal },
    logFile: path.join(images, '.logs/build.log'),
    onProgress: () => {},
  })
const visible = async (): Promise<string[]> =>
  (await readdir(images)).filter((name) => name !== '.logs').sort()

test('a finished image has a manifest that the contract accepts, and nothing beside it', async () => {
  await build(trivialRecipe('one'))
  assert.deepEqual(await visible(), ['one'])
  assert.deepEqual((await readdir(path.join(images, 'one'))).sort(), ['image.json', 'initrd', 'kernel'])
  const manifest = await readManifest(images, 'one')
  assert.equal(manifest?.recipeHash, 'hash of one')
  assert.equal(manifest?.kernel, 'kernel')
})

test('a failed build leaves the earlier image, no temporary folder, and a message with the log', async () => {
  await build(trivialRecipe('one'))
  const failing = trivialRecipe('one', async (context) => {
    context.log('the tool said something\n')
    throw new Error('it did not work')
  })
  await assert.rejects(build(failing), /^BuildError: it did not work\nThe whole log: .*build\.log$/)
  assert.deepEqual(await visible(), ['one'])
  assert.ok(await readManifest(images, 'one'))
  const log = await open(path.join(images, '.logs/build.log'))
  assert.match(await log.readFile('utf8'), /the tool said something/)
  await log.close()
})

test('a rebuild replaces the image while an open file of the old one stays readable', async () => {
  await build(trivialRecipe('one'))
  const kernel = await open(path.join(images, 'one/kernel'))
  await build({ ...trivialRecipe('one'), recipeHash: 'another' })
  assert.equal((await readManifest(images, 'one'))?.recipeHash, 'another')
  assert.equal(await kernel.readFile('utf8'), 'one')
  await kernel.close()
  assert.deepEqual(await visible(), ['one'])
})

test('what a cut-off build left is removed; an image cut off while it was replaced comes back', async () => {
  await build(trivialRecipe('one'))
  await mkdir(path.join(images, '.building-two-1234', 'work', 'tree'), { recursive: true })
  await mkdir(path.join(images, '.replaced-one'))
  await mkdir(path.join(images, '.replaced-three'))
  await writeFile(path.join(images, '.replaced-three/image.json'), 'old')
  await tidyStore(images)
  assert.deepEqual(await visible(), ['one', 'three'])
})

test('a manifest that is damaged is no image', async () => {
  await mkdir(path.join(images, 'one'))
  assert.equal(await readManifest(images, 'one'), undefined)
  for (const text of ['{', '{"v": 2}', '[]']) {
    await writeFile(path.join(images, 'one/image.json'), text)
    assert.equal(await readManifest(images, 'one'), undefined)
  }
})
