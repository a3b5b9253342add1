import { z } from 'zod'
import { inRepository, repository } from '../lib/paths.ts'
import { Trouble } from '../lib/steps.ts'
import type { Host } from './host.ts'
import type { StartOptions } from './options.ts'
import { logTail, startService, untilReady } from './service.ts'
import type { State } from './state.ts'
import type { Tls } from './tls.ts'

const readyLine = z.object({ ready: z.literal(true), url: z.string(), setupUrl: z.string().nullable() })

/** Starts the portal and waits for its one line that says where it is. */
export async function startPortal(context: {
  options: StartOptions
  state: State
  tls: Tls | undefined
  host: Host
  onStarted: (part: { name: string; stop: () => Promise<void>; ended: Promise<void> }) => void
}): Promise<{ url: string; setupUrl: string | null }> {
  const { options, state, tls, host, onStarted } = context
  let ready: z.infer<typeof readyLine> | undefined
  const portal = await startService({
    name: 'portal',
    command: process.execPath,
    args: [
      ...[
        inRepository('apps/web/server/main.ts'),
        '--port',
        String(options.port),
        '--listen',
        options.listen,
      ],
      ...['--state', state.directory, '--agent-url', host.url, '--agent-token-file', host.tokenFile],
      ...(tls
        ? [
            '--tls-cert',
            tls.certificate,
            '--tls-key',
            tls.key,
            '--ca',
            tls.authority,
            '--hostname',
            options.hostname,
          ]
        : []),
    ],
    logs: state.logs,
    cwd: repository,
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
    onStdout(line) {
      if (!line.startsWith('{')) return
      const parsed = readyLine.safeParse(JSON.parse(line))
      if (parsed.success) ready = parsed.data
    },
  })
  onStarted({ name: portal.name, stop: () => portal.stop(), ended: portal.ended })
  await untilReady(portal, async () => ready !== undefined, 120_000)
  if (!ready) throw new Trouble(`The portal did not say where it is:\n${await logTail(portal.log)}`)
  return ready
}
