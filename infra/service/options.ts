/** The command line of `npm run install-service`, and what it keeps of it for the next time. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { Trouble } from '../lib/steps.ts'
import { defaultHostname } from '../start/options.ts'

const settingsSchema = z.strictObject({
  port: z.number().int().min(1).max(65_535),
  listen: z.string().min(1),
  hostname: z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/),
  state: z.string().startsWith('/'),
})
export type ServiceSettings = z.infer<typeof settingsSchema>

export const settingsFile = '/etc/hearth/service.json'

export const help = `Usage: npm run install-service -- [options]
       npm run uninstall-service

Installs Hearth as services of systemd, which start with the box; run it again after an update, or to change an option.
What is not said stays as it was the last time.

  --port PORT       port of the portal (first time: 8080)
  --listen ADDRESS  address the portal listens on (first time: 127.0.0.1, plain HTTP; any other is HTTPS only)
  --hostname NAME   with --listen: the name people will type (first time: this machine's, with .local)
  --state DIR       where Hearth keeps its data (first time: /var/lib/hearth)
  --no-install      install no Debian packages; say what is missing instead
  --help            this text

DATABASE_URL chooses PostgreSQL, as with npm start.
`

export interface ServiceOptions {
  readonly settings: ServiceSettings
  readonly install: boolean
}

/** `before`: what was chosen the last time. `undefined` means: help was asked for. */
export function parseServiceOptions(
  argv: readonly string[],
  before: Partial<ServiceSettings>,
): ServiceOptions | undefined {
  const values = parse(argv)
  if (values.help) return undefined
  const settings = settingsSchema.safeParse({
    port: values.port === undefined ? (before.port ?? 8080) : Number(values.port),
    listen: values.listen ?? before.listen ?? '127.0.0.1',
    hostname: values.hostname ?? before.hostname ?? defaultHostname(),
    state: values.state === undefined ? (before.state ?? '/var/lib/hearth') : path.resolve(values.state),
  })
  if (!settings.success) {
    const option = String(settings.error.issues[0]?.path[0])
    throw new Trouble(
      option === 'port'
        ? `--port ${values.port} is not a port: give a number from 1 to 65535.`
        : `--${option}: that cannot be used. Host names have letters, digits, dots and dashes.`,
    )
  }
  // systemd would take them apart, or for specifiers of its own (systemd.unit(5)).
  if (/[\s%$"'\\:]/.test(settings.data.state))
    throw new Trouble('--state: choose a folder without spaces, quotes, colons and the signs % $ \\.')
  return { settings: settings.data, install: !values['no-install'] }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: false,
      options: {
        port: { type: 'string' },
        listen: { type: 'string' },
        hostname: { type: 'string' },
        state: { type: 'string' },
        'no-install': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new Trouble(
      `${(error as Error).message.split('. ')[0]}. "npm run install-service -- --help" lists the options.`,
    )
  }
}

export async function readSettings(file = settingsFile): Promise<Partial<ServiceSettings>> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return {}
  try {
    return settingsSchema.partial().parse(JSON.parse(text))
  } catch {
    throw new Trouble(`${file} cannot be understood. Remove it, and say all options once more.`)
  }
}
