import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { answerPacked } from './packed-files.ts'

test('scripts come as they were packed, to those who can read it; nothing outside their folder does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-packed-'))
  const script = 'export const words = "the same again and again ";'.repeat(200)
  await mkdir(join(folder, 'static', 'chunks'), { recursive: true })
  // As infra/build/pack.ts leaves them.
  await writeFile(join(folder, 'static', 'chunks', 'a~1-b.js.br'), brotliCompressSync(script))
  await writeFile(join(folder, 'secret.js.br'), brotliCompressSync(script))
  const server = createServer(async (request, response) => {
    if (!(await answerPacked(folder, request, response))) response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const ask = (path: string, encoding: string, method = 'GET') =>
    new Promise<{ status: number; encoding: string | undefined; body: Buffer }>((resolve, reject) => {
      get({ port, path, method, headers: { 'accept-encoding': encoding } }, async (response) => {
        const parts: Buffer[] = []
        for await (const part of response) parts.push(part as Buffer)
        const { statusCode, headers } = response
        resolve({
          status: statusCode ?? 0,
          encoding: headers['content-encoding'],
          body: Buffer.concat(parts),
        })
      }).on('error', reject)
    })
  const path = '/_next/static/chunks/a~1-b.js'
  const packed = await ask(`${path}?dpl=1`, 'gzip, deflate, br')
  assert.equal(packed.encoding, 'br')
  assert.equal(brotliDecompressSync(packed.body).toString(), script)
  assert.ok(packed.body.length < script.length / 10)
  assert.deepEqual((await ask(path, 'br', 'HEAD')).body.length, 0)
  for (const [other, encoding] of [
    [path, 'gzip'],
    [path, 'gzip, br;q=0'],
    ['/_next/static/../secret.js', 'br'],
    ['/_next/static/%2e%2e/secret.js', 'br'],
    ['/_next/static/chunks/none.js', 'br'],
    ['/_next/secret.js', 'br'],
  ] as const)
    assert.equal((await ask(other, encoding)).status, 404, other)
  server.close()
  await rm(folder, { recursive: true })
})
