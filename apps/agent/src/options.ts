/** The command line of `hearth-agent`. Every refusal is one line that says what to change. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sharedFoldersFile } from './host/shared-folders.ts'
import { parseSubnet } from './network/subnet.ts'

export interface AgentOptions {
  state: string
  images: string
  listen: { host: string; port: number }
  token: string
  builder: { url: string; token: string }
  kind: 'kvm' | 'lab'
  /** Entry file of hearth-vmm. */
  vmm: string
  runDir: string
  /** The subnet asked for; null means "the first free one". */
  subnet: string | null
  /** The bridge asked for; null means "the first free name". */
  bridge: string | null
  /** The list of folders that VMs may have. */
  sharedFolders: string
}

export class UsageError extends Error {}

export const usage = `usage: hearth-agent --state DIR --images DIR --listen ADDR:PORT --token-file FILE
                    --builder URL --builder-token-file FILE --kind kvm|lab
                    [--vmm FILE] [--run-dir DIR] [--subnet 10.83.0.0/24] [--bridge hearth0]
                    [--shared-folders FILE]`

/** A unix socket's path fits into sockaddr_un.sun_path, 108 bytes with its end (unix(7)). */
export const maxSocketPath = 107
/** Longest name the agent makes in its run directory: 12 hexadecimal digits and `.display`. */
export const longestSocketName = 20

export function parseOptions(argv: string[], env: NodeJS.ProcessEnv = process.env): AgentOptions {
  const values = readFlags(argv)
  const required = (name: string) => {
    const value = values[name]
    if (!value) throw new UsageError(`--${name} is missing`)
    return value
  }
  const state = resolve(required('state'))
  const kind = required('kind')
  if (kind !== 'kvm' && kind !== 'lab') throw new UsageError(`--kind is kvm or lab, not ${kind}`)
  const builderUrl = required('builder')
  if (!URL.canParse(builderUrl) || new URL(builderUrl).protocol !== 'http:')
    throw new UsageError(`--builder is an http:// address, not ${builderUrl}`)
  const subnet = values.subnet ?? null
  if (subnet !== null && !parseSubnet(subnet))
    throw new UsageError(`--subnet is a private IPv4 network such as 10.83.0.0/24, not ${subnet}`)
  const bridge = values.bridge ?? null
  // IFNAMSIZ leaves 15 bytes for a name.
  if (bridge !== null && !/^[a-z][a-z0-9_-]{0,14}$/.test(bridge))
    throw new UsageError(`--bridge is an interface name of at most 15 characters, not ${bridge}`)
  return {
    state,
    images: existingFolder('images', required('images')),
    listen: parseListen(required('listen')),
    token: readToken('token-file', required('token-file')),
    builder: {
      url: builderUrl.replace(/\/+$/, ''),
      token: readToken('builder-token-file', required('builder-token-file')),
    },
    kind,
    vmm: findVmm(values.vmm),
    runDir: runDirectory(values['run-dir'], state, env),
    subnet,
    bridge,
    sharedFolders: resolve(values['shared-folders'] ?? join(state, sharedFoldersFile)),
  }
}

function readFlags(argv: string[]): Record<string, string | undefined> {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: argv,
      options: {
        state: text,
        images: text,
        listen: text,
        'token-file': text,
        builder: text,
        'builder-token-file': text,
        kind: text,
        vmm: text,
        'run-dir': text,
        subnet: text,
        bridge: text,
        'shared-folders': text,
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (!host || port > 65535 || (isIP(host) === 0 && host !== 'localhost'))
    throw new UsageError(`--listen is ADDRESS:PORT such as 127.0.0.1:7420, not ${text}`)
  return { host, port }
}

function existingFolder(name: string, path: string): string {
  const folder = resolve(path)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--${name}: there is no folder ${folder}`)
  return folder
}

function readToken(name: string, path: string): string {
  let token: string
  try {
    token = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`--${name}: cannot read ${path} (${error instanceof Error ? error.message : error})`)
  }
  if (token.length < 16 || /\s/.test(token))
    throw new UsageError(`--${name}: ${path} must hold one token of at least 16 characters`)
  return token
}

/** Bundled, `dist/hearth-vmm/main.js` lies beside `dist/agent/main.js`; from source, the workspace has it. */
function findVmm(given: string | undefined): string {
  if (given !== undefined) {
    const path = resolve(given)
    if (!existsSync(path)) throw new UsageError(`--vmm: there is no file ${path}`)
    return path
  }
  const candidates = [
    '../hearth-vmm/main.js',
    '../../../dist/hearth-vmm/main.js',
    '../../../packages/vmm/src/main.ts',
  ]
  for (const candidate of candidates) {
    const path = fileURLToPath(new URL(candidate, import.meta.url))
    if (existsSync(path)) return path
  }
  throw new UsageError('--vmm is missing, and no hearth-vmm lies beside this program')
}

function runDirectory(given: string | undefined, state: string, env: NodeJS.ProcessEnv): string {
  const name = `hearth-${createHash('sha256').update(state).digest('hex').slice(0, 8)}`
  const runtime = env.XDG_RUNTIME_DIR
  const fallback =
    process.getuid?.() === 0
      ? join('/run', name)
      : runtime && isAbsolute(runtime)
        ? join(runtime, name)
        : join('/tmp', `${name}-${process.getuid?.() ?? 0}`)
  const folder = given === undefined ? fallback : resolve(given)
  if (Buffer.byteLength(folder) + 1 + longestSocketName > maxSocketPath)
    throw new UsageError(
      `--run-dir: ${folder} is too long for unix sockets (at most ${maxSocketPath - 1 - longestSocketName} bytes)`,
    )
  return folder
}
