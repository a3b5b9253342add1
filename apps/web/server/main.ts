/** The portal's program. Standard output carries one line when it is ready; everything else goes to standard error. */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startPortal } from './start.ts'

const usage = `node apps/web/server/main.ts --state DIR --agent-url ws://HOST:PORT --agent-token-file FILE
  [--port 8080] [--listen 127.0.0.1] [--tls-cert FILE --tls-key FILE --hostname NAME [--ca FILE]] [--no-pages] [--dev]`

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string', default: '8080' },
        listen: { type: 'string', default: '127.0.0.1' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        hostname: { type: 'string' },
        ca: { type: 'string' },
        state: { type: 'string' },
        'agent-url': { type: 'string' },
        'agent-token-file': { type: 'string' },
        dev: { type: 'boolean', default: false },
        'no-pages': { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
  }
}

const values = readOptions()
const port = Number(values.port)
if (!Number.isInteger(port) || port < 0 || port > 65_535) fail(`--port ${values.port} is not a port.`)
const { state, 'agent-url': agentUrl, 'agent-token-file': tokenFile } = values
if (!state || !agentUrl || !tokenFile)
  fail(`--state, --agent-url and --agent-token-file are needed.\n${usage}`)
if (!/^wss?:\/\/[^/]+\/?$/.test(agentUrl)) fail(`--agent-url ${agentUrl} is not like ws://127.0.0.1:7420.`)
const { 'tls-cert': certificate, 'tls-key': key } = values
if ((certificate === undefined) !== (key === undefined)) fail('--tls-cert and --tls-key go together.')

const read = (file: string) =>
  readFile(file).catch((error: NodeJS.ErrnoException) => fail(`${file} cannot be read (${error.code}).`))

const token = (await read(tokenFile)).toString('utf8').trim()
const started = await startPortal({
  port,
  listen: values.listen,
  state,
  databaseUrl: process.env.DATABASE_URL,
  hostname: values.hostname ?? null,
  tls:
    certificate !== undefined && key !== undefined
      ? {
          certificate: await read(certificate),
          key: await read(key),
          authority: values.ca === undefined ? null : await read(values.ca),
        }
      : null,
  agent: { url: agentUrl.replace(/\/$/, ''), token },
  pages: values['no-pages'] ? 'none' : values.dev ? 'development' : 'production',
}).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))

process.stdout.write(`${JSON.stringify({ ready: true, url: started.url, setupUrl: started.setupUrl })}\n`)

let stopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return
    stopping = true
    started.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(String(error)),
    )
  })
}
