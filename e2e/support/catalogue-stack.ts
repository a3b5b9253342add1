import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../infra/lib/free-port.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const inRepository = (file: string): string => path.join(repository, file)
/** Debian's account for what owns nothing (base-passwd). */
const nobody = '65534'

export interface Memory {
  readonly portal: number
  readonly agent: number
}

export interface CatalogueStack {
  readonly url: string
  readonly setupUrl: string
  /** The image store. */
  readonly images: string
  /** Resident memory of the portal's and the agent's processes, in bytes. */
  memory(): Promise<Memory>
  /** The most that was resident since `forgetPeaks`. */
  peaks(): Promise<Memory>
  forgetPeaks(): Promise<void>
  stop(): Promise<void>
}

/**
 * The real portal with its pages, the real agent and the real image builder, without any VM (and so without a lab):
 * what images are made of needs no more.
 */
export async function startCatalogueStack(): Promise<CatalogueStack> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'hearth-catalogue-'))
  await chmod(root, 0o755)
  const folder = (name: string): string => path.join(root, name)
  for (const name of ['images', 'agent', 'run', 'portal']) await mkdir(folder(name))
  const token = folder('token')
  await writeFile(token, 'a-token-for-this-test-only\n')
  const children: ChildProcess[] = []
  const start = (command: string, args: string[]): ChildProcess => {
    const child = spawn(command, args, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (process.env.DEBUG_STACK) process.stderr.write(text)
    })
    children.push(child)
    return child
  }
  const builderPort = await freePort()
  const builder = start(process.execPath, [
    ...[inRepository('infra/recipes/builder.ts'), '--images', folder('images')],
    ...['--listen', `127.0.0.1:${builderPort}`, '--token-file', token],
  ])
  builder.stdout?.resume()
  // As root the agent would set up the machine's network; nobody's VMs would have one of their own, and here is none.
  const isRoot = process.getuid?.() === 0
  if (isRoot) {
    const { chown } = await import('node:fs/promises')
    for (const name of ['agent', 'run']) await chown(folder(name), Number(nobody), Number(nobody))
  }
  const agentPort = await freePort()
  const agentArgs = [
    ...[process.execPath, inRepository('apps/agent/src/main.ts'), '--state', folder('agent')],
    ...['--images', folder('images'), '--run-dir', folder('run'), '--kind', 'kvm'],
    ...['--listen', `127.0.0.1:${agentPort}`, '--token-file', token],
    ...['--builder', `http://127.0.0.1:${builderPort}`, '--builder-token-file', token],
    ...['--vmm', inRepository('apps/agent/src/testing/stand-in-vmm.ts')],
  ]
  const agent = isRoot
    ? start('setpriv', [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--', ...agentArgs])
    : start(agentArgs[0]!, agentArgs.slice(1))
  agent.stdout?.resume()
  const portal = start(process.execPath, [
    ...[
      inRepository('apps/web/server/main.ts'),
      '--port',
      String(await freePort()),
      '--state',
      folder('portal'),
    ],
    ...['--agent-url', `ws://127.0.0.1:${agentPort}`, '--agent-token-file', token],
  ])
  const { url, setupUrl } = await firstLine(portal)
  const memoryOf = async (line: string): Promise<Memory> => ({
    portal: await statusBytes(portal, line),
    agent: await statusBytes(agent, line),
  })
  return {
    url,
    setupUrl,
    images: folder('images'),
    memory: () => memoryOf('VmRSS'),
    peaks: () => memoryOf('VmHWM'),
    async forgetPeaks() {
      for (const { pid } of [portal, agent]) await writeFile(`/proc/${pid}/clear_refs`, '5')
    },
    async stop() {
      for (const child of children) child.kill('SIGTERM')
      await Promise.all(
        children.map((child) =>
          child.exitCode !== null || child.signalCode !== null
            ? undefined
            : new Promise((resolve) => child.once('exit', resolve)),
        ),
      )
      await rm(root, { recursive: true, force: true })
    },
  }
}

async function firstLine(child: ChildProcess): Promise<{ url: string; setupUrl: string }> {
  for await (const line of readline.createInterface({ input: child.stdout! }))
    if (line.startsWith('{')) return JSON.parse(line) as { url: string; setupUrl: string }
  throw new Error('The portal ended before it was ready. DEBUG_STACK=1 shows why.')
}

/** proc_pid_status(5); its "kB" are KiB. Writing 5 to clear_refs (proc_pid_clear_refs(5)) begins VmHWM anew. */
async function statusBytes({ pid }: ChildProcess, line: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
}
