/** The figures of this box. */
import { readFileSync } from 'node:fs'
import { availableParallelism, hostname, release } from 'node:os'
import { agentProtocolVersion, type HostInfo } from '@hearth/shared/agent-protocol'
import packageJson from '../../package.json' with { type: 'json' }
import { foreignBridges, hostAddresses } from './addresses.ts'
import { diskFigures, readMemory } from './capacity.ts'
import { offeredFolders } from './shared-folders.ts'

const cpuModel =
  /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim() ?? 'unknown'
/** Seconds since the epoch (proc_stat(5)): unlike "now minus uptime" it does not wander. */
const bootedAt = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0)

export async function readHostInfo(options: {
  state: string
  kind: 'kvm' | 'lab'
  network: 'nat' | 'passt'
  /** The guests' own bridge. */
  bridge: string | null
  sharedFolders: string
}): Promise<HostInfo> {
  const memory = readMemory()
  const disk = await diskFigures(options.state)
  return {
    protocol: agentProtocolVersion,
    version: packageJson.version,
    hostname: hostname(),
    kind: options.kind,
    kernel: release(),
    cpuModel,
    cpus: availableParallelism(),
    memoryBytes: memory.totalBytes,
    memoryAvailableBytes: memory.availableBytes,
    diskBytes: disk.totalBytes,
    diskAvailableBytes: disk.availableBytes,
    network: options.network,
    addresses: hostAddresses(options.bridge),
    // Attaching to one takes root.
    bridges: options.network === 'nat' ? await foreignBridges(options.bridge) : [],
    folders: await offeredFolders(options.sharedFolders),
    bootedAt: new Date(bootedAt * 1000).toISOString(),
  }
}
