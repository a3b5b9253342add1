import assert from 'node:assert/strict'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { MIB } from '@hearth/shared/units'
import { TestBox } from '../testing/agent-harness.ts'
import { ImageCache } from './image-cache.ts'
import { ImageStore } from './image-store.ts'

test('an image is copied once, sparse, for all who ask; an older recipe goes when nobody uses it', async () => {
  const box = await TestBox.create()
  await box.addImage({ imageUid: 'disk', diskBytes: 256 * MIB })
  const store = new ImageStore(box.images)
  const cache = new ImageCache({ stateFolder: box.state, enabled: true })
  await mkdir(join(box.state, 'image-cache', '.tmp-half'), { recursive: true })
  await cache.open()
  const image = (await store.get('disk'))!
  const folders = () => readdir(join(box.state, 'image-cache'))
  const quiet = { cancelled: new AbortController().signal, onProgress: () => {} }
  const use = () =>
    cache.use(image, quiet, async (files) => {
      const info = await stat(files.disk!)
      assert.equal(info.size, 256 * MIB)
      assert.ok(info.blocks * 512 < 1 * MIB, 'the copy is as sparse as the image')
      return info.ino
    })
  const inodes = await Promise.all([use(), use(), use()])
  assert.equal(new Set(inodes).size, 1)
  assert.deepEqual(await folders(), ['disk@hash1'])

  const newer = { ...image, manifest: { ...image.manifest, recipeHash: 'hash/../2' } }
  await cache.use(image, quiet, async (old) => {
    await cache.use(newer, quiet, async () => {})
    assert.ok((await stat(old.disk!)).size > 0, 'what is lent stays')
  })
  await cache.use(newer, quiet, async () => {})
  assert.deepEqual(await folders(), ['disk@hash2'])
  await box.remove()
})

test('an image that names files outside its folder is not an image', async () => {
  const box = await TestBox.create()
  await box.addImage({ imageUid: 'good' })
  await box.addImage({ imageUid: 'bad' })
  const store = new ImageStore(box.images)
  const manifest = (await store.get('bad'))!.manifest
  await writeFile(
    join(box.images, 'bad', 'image.json'),
    JSON.stringify({ ...manifest, kernel: '../good/vmlinuz' }),
  )
  assert.equal(await store.get('bad'), null)
  assert.deepEqual(
    (await store.list()).map((image) => image.manifest.imageUid),
    ['good'],
  )
  await assert.rejects(store.get('../good'))
  await box.remove()
})
