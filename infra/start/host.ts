/** Where VMs run: choosing it, and starting the agent and the image builder there. */
import { mkdir, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { formatBytes, GIB, MIB } from '@hearth/shared/units'
import { agentEntry, vmmEntry } from '../build/programs.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { debianPackages as labPackages } from '../lab/packages.ts'
import type { DebianPackage } from '../lib/debian.ts'
import { freePort } from '../lib/free-port.ts'
import { cacheDirectory, inRepository, repository } from '../lib/paths.ts'
import { type Steps, Trouble } from '../lib/steps.ts'
import { probeKvm } from '../probe/probe.ts'
import { debianPackages as recipePackages } from '../recipes/packages.ts'
import { rootNamespace } from '../recipes/root-namespace.ts'
import { AgentClient } from './agent-client.ts'
import type { StartOptions } from './options.ts'
import { logSince, runOf, type Service, startService, untilReady } from './service.ts'
import { readSecret, type State, secretFile } from './state.ts'
import { describeEnd, type Run, type Supervised, supervise } from './supervise.ts'

export type HostChoice = { kind: 'kvm' | 'lab' | 'remote' }

export interface Host {
  /** ws://… of the agent, as the portal reaches it. */
  readonly url: string
  readonly tokenFile: string
  shutdownGuests(steps: Steps, impatient: AbortSignal): Promise<void>
}

type Part = Pick<Supervised, 'name' | 'stop'> & { ended?: Promise<unknown> }

/** Where the lab keeps the agent's state: a disk of its own, an image file in the state folder. */
const LAB_DISK = { path: '/srv/hearth', bytes: 256 * GIB }
const GUEST_SHUTDOWN_MS = 30_000
export const agentPackages: readonly DebianPackage[] = [
  { name: 'dnsmasq-base', why: 'gives VMs their addresses and names (DHCP, DNS)' },
  { name: 'nftables', why: "VMs' way to the network (NAT, firewall)" },
  { name: 'iproute2', why: "VMs' network interfaces" },
  { name: 'passt', why: "VMs' network where Hearth does not run as root" },
  { name: 'genisoimage', why: 'writes the cloud-init disk a VM reads at its first start' },
  { name: 'seabios', why: 'the BIOS that starts whole-disk images' },
  { name: 'ovmf', why: 'the UEFI firmware that starts whole-disk images' },
  { name: 'openssl', why: 'certificates, password hashes' },
]

export async function chooseHost(steps: Steps, options: Pick<StartOptions, 'host'>): Promise<HostChoice> {
  if (options.host.kind === 'remote') return { kind: 'remote' }
  if (options.host.kind === 'lab') return { kind: 'lab' }
  const probe = await steps.run('Virtualisation', probeKvm, (result) =>
    result.usable ? '/dev/kvm runs ordinary guests' : `none for VMs, ${result.reason}`,
  )
  if (probe.usable) return { kind: 'kvm' }
  if (options.host.kind === 'kvm') {
    throw new Trouble(`--host kvm: ${probe.reason}. ${probe.hint} Or run VMs emulated: --host lab`)
  }
  steps.note(`VMs will run in the emulated lab host: everything works, slowly. ${probe.hint}`)
  return { kind: 'lab' }
}

export function hostPackages(choice: HostChoice): DebianPackage[] {
  if (choice.kind === 'remote') return []
  const lab = choice.kind === 'lab' ? labPackages : []
  return [...agentPackages, ...recipePackages, ...lab]
}

export async function startHost(context: {
  steps: Steps
  options: StartOptions
  state: State
  choice: HostChoice
  goOn: () => void
  onStarted: (part: Part) => void
}): Promise<Host> {
  const { steps, options, state, choice, goOn, onStarted } = context
  if (options.host.kind === 'remote') return remoteHost(options.host)
  const tokenFile = await secretFile(state, 'agent-token')
  const builderTokenFile = await secretFile(state, 'builder-token')
  const builderPort = await freePort()
  const runBuilder = (): Promise<Run> => startBuilder(state, builderPort, builderTokenFile)
  const builder = await steps.run('Image builder', runBuilder)
  onStarted(supervise('builder', builder, runBuilder, (text) => steps.note(text)))
  goOn()
  const common = [
    ...['--images', state.images, '--token-file', tokenFile, '--builder-token-file', builderTokenFile],
    ...['--vmm', vmmEntry, '--kind', choice.kind],
  ]
  const port = await freePort()
  const runAgent =
    choice.kind === 'lab'
      ? await agentInLab({ ...context, port, builderPort, common })
      : () => agentHere({ state, port, builderPort, common })
  const agent = await steps.run('Host agent', runAgent)
  onStarted(supervise('agent', agent, runAgent, (text) => steps.note(text)))
  const client = async (): Promise<AgentClient> =>
    new AgentClient(`ws://127.0.0.1:${port}`, await readSecret(tokenFile))
  return {
    url: `ws://127.0.0.1:${port}`,
    tokenFile,
    async shutdownGuests(steps, impatient) {
      const agent = await client()
      try {
        const count = await agent.runningGuests()
        if (count === 0) return
        await steps.run(
          `Shutting down ${count === 1 ? 'the running VM' : `${count} running VMs`}`,
          async (step) => {
            step.detail('Ctrl-C again switches off now')
            const work = agent.shutdownGuests(GUEST_SHUTDOWN_MS)
            const result = await Promise.race([work, aborted(impatient)])
            const done = result ?? (await agent.shutdownGuests(0))
            return done.forced > 0 ? `${done.forced} powered off` : 'all shut down'
          },
        )
      } finally {
        agent.close()
      }
    },
  }
}

/** An agent elsewhere belongs to somebody else: its guests are not ours to shut down. */
function remoteHost(remote: { url: string; tokenFile: string }): Host {
  return { url: remote.url, tokenFile: remote.tokenFile, shutdownGuests: async () => {} }
}

async function startBuilder(state: State, port: number, tokenFile: string): Promise<Run> {
  const prefix = await rootNamespace()
  // Its parent-death signal once more, inside: entering the namespace clears the one that startService sets.
  const [command, ...first] = [...prefix, 'setpriv', '--pdeathsig', 'TERM', '--', process.execPath]
  const builder = await startService({
    name: 'builder',
    command: command!,
    args: [
      ...first,
      ...[inRepository('infra/recipes/builder.ts'), '--images', state.images, '--cache', cacheDirectory],
      ...['--listen', `127.0.0.1:${port}`, '--token-file', tokenFile],
    ],
    logs: state.logs,
    cwd: repository,
  })
  return whenHealthy(builder, port, 60_000)
}

interface AgentPlace {
  state: State
  port: number
  builderPort: number
  /** Arguments that are the same everywhere. */
  common: readonly string[]
}

/** The agent as a process of this machine. VMs are processes of their own and outlive it. */
async function agentHere({ state, port, builderPort, common }: AgentPlace): Promise<Run> {
  const agent = await startService({
    name: 'agent',
    command: process.execPath,
    args: [
      ...[agentEntry, '--state', state.agent, '--listen', `127.0.0.1:${port}`],
      ...['--builder', `http://127.0.0.1:${builderPort}`, ...common],
    ],
    logs: state.logs,
    cwd: repository,
  })
  return whenHealthy(agent, port, 60_000)
}

/** Boots the lab; what it returns starts the agent in there. */
async function agentInLab(
  context: AgentPlace & { steps: Steps; goOn: () => void; onStarted: (part: Part) => void },
): Promise<() => Promise<Run>> {
  const { steps, state, port, builderPort, common, goOn, onStarted } = context
  const lab = await steps.run('Lab host', (step) => bootLab(state, port, step.detail))
  onStarted({ name: 'lab', stop: () => lab.stop(), ended: lab.ended })
  goOn()
  // Beside what the agent keeps, the one place in there that a person may keep something in.
  await lab.run('mkdir', ['-p', `${LAB_DISK.path}/backups`])
  return async () => {
    const log = `${state.logs}/agent.log`
    const begin = (await stat(log).catch(() => undefined))?.size ?? 0
    const agent = lab.spawn(
      process.execPath,
      [
        ...[agentEntry, '--state', `${LAB_DISK.path}/agent`, '--listen', '0.0.0.0:7420'],
        ...['--builder', `http://10.0.2.2:${builderPort}`, ...common],
        // Written on this machine, as where there is no lab; so are the folders, which the lab sees to read.
        ...['--shared-folders', path.join(state.agent, 'shared-folders.json')],
        ...(lab.guestSubnet ? ['--subnet', lab.guestSubnet] : []),
      ],
      { cwd: repository, logFile: log },
    )
    return whenHealthy(
      {
        name: 'agent',
        log,
        ended: agent.exit.then(
          async (end) => `${describeEnd(end)}${await shortOfMemory(lab, end.signal)}`,
          (error: Error) => `is gone: ${error.message}`,
        ),
        lastWords: () => logSince(log, begin),
        stop: () => agent.stop(),
      },
      port,
      90_000,
    )
  }
}

/** What the lab's kernel says of a killed process; a lab that is as short of memory may not answer any more. */
async function shortOfMemory(lab: Lab, signal: NodeJS.Signals | null): Promise<string> {
  if (signal !== 'SIGKILL') return ''
  const said = await lab.run('dmesg', [], { timeoutMs: 10_000 }).catch(() => undefined)
  const lines = said?.stdout.split('\n').filter((line) => /out of memory|killed process/i.test(line)) ?? []
  return lines.length > 0 ? `; the lab's kernel says: ${lines.at(-1)?.trim()}` : ''
}

/** Waits until a started service answers; stops it when it does not. */
async function whenHealthy(service: Service, port: number, limitMs: number): Promise<Run> {
  try {
    await untilReady(service, () => healthy(port), limitMs)
  } catch (error) {
    await service.stop()
    throw error
  }
  return runOf(service)
}

async function bootLab(state: State, agentPort: number, detail: (text: string) => void): Promise<Lab> {
  const memoryBytes = labMemory()
  await mkdir(state.lab, { recursive: true })
  return startLab({
    // One: the machine that carries it has to serve portal and browser too, and two were not faster.
    cpus: 1,
    memoryBytes,
    ports: [{ host: agentPort, guest: 7420 }],
    shares: [state.images, state.secrets, state.agent],
    dataDisk: { path: LAB_DISK.path, file: `${state.lab}/data.img`, bytes: LAB_DISK.bytes },
    routeToGuests: true,
    cacheDir: cacheDirectory,
    onProgress: ({ step, detail: more }) => detail(more ? `${step}: ${more}` : step),
  })
}

/** Half of what is free, whole GiB; below 2 GiB no Debian guest would fit beside the lab's own kernel. */
function labMemory(): number {
  const free = os.freemem()
  const half = Math.floor(free / 2 / GIB) * GIB
  const memory = Math.min(Math.max(half, 2 * GIB), 16 * GIB)
  if (free < memory + 512 * MIB) {
    throw new Trouble(
      `The lab host needs ${formatBytes(memory + 512 * MIB)} of free memory and this machine has ${formatBytes(free)}. Close something, or use a machine with KVM (--host kvm) or an agent elsewhere (--host URL).`,
    )
  }
  return memory
}

async function healthy(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(5000) })).ok
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
