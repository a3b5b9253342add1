import { z } from 'zod'
import { inRepository, repository } from '../lib/paths.ts'
import { type Steps, Trouble } from '../lib/steps.ts'
import type { Host } from './host.ts'
import type { StartOptions } from './options.ts'
import { logTail, runOf, startService, untilReady } from './service.ts'
import type { State } from './state.ts'
import { type Run, type Supervised, supervise } from './supervise.ts'
import type { Tls } from './tls.ts'

const readyLine = z.object({ ready: z.literal(true), url: z.string(), setupUrl: z.string().nullable() })

/** Starts the portal, keeps it running, and tells where it is once it has said so itself. */
export async function startPortal(context: {
  steps: Steps
  options: StartOptions
  state: State
  tls: Tls | undefined
  host: Host
  onStarted: (part: Supervised) => void
}): Promise<z.infer<typeof readyLine>> {
  const first = await runPortal(context)
  const { steps, onStarted } = context
  onStarted(
    supervise(
      'portal',
      first,
      () => runPortal(context),
      (text) => steps.note(text),
    ),
  )
  return first.ready
}

async function runPortal(context: {
  options: StartOptions
  state: State
  tls: Tls | undefined
  host: Host
}): Promise<Run & { ready: z.infer<typeof readyLine> }> {
  const { options, state, tls, host } = context
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
  try {
    await untilReady(portal, async () => ready !== undefined, 120_000)
  } catch (error) {
    await portal.stop()
    throw error
  }
  if (!ready) throw new Trouble(`The portal did not say where it is:\n${await logTail(portal.log)}`)
  return { ...runOf(portal), ready }
}
