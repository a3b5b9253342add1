import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Trouble } from '../lib/steps.ts'

export interface StartOptions {
  readonly port: number
  readonly listen: string
  /** The name people type, when the portal listens beyond loopback; goes into the certificate. */
  readonly hostname: string
  readonly state: string
  readonly host:
    | { kind: 'auto' }
    | { kind: 'kvm' }
    | { kind: 'lab' }
    | { kind: 'remote'; url: string; tokenFile: string }
  readonly install: boolean
}

export const help = `Usage: npm start -- [options]

Starts Hearth: sets up what is missing, then runs the portal, the host agent and the image builder in the
foreground until Ctrl-C, which shuts running VMs down first.

  --port PORT         port of the portal (default 8080)
  --listen ADDRESS    address the portal listens on (default 127.0.0.1, plain HTTP). Any address beyond loopback is
                      served by HTTPS only, with a certificate from a local authority that Hearth makes
  --hostname NAME     with --listen: the name people will type (default: this machine's name, with .local)
  --state DIR         where Hearth keeps its data (default ${defaultState()})
  --host kvm|lab|URL  where VMs run: on this machine's KVM, in the emulated lab host, or on an agent elsewhere
                      (ws://… or wss://…). Default: KVM where it can run ordinary guests, else the lab
  --host-token FILE   with --host URL: the file that holds that agent's token
  --no-install        install nothing; say what is missing instead
  --help              this text

When npm takes an option for itself, put it behind a double dash: npm start -- --port 9000
`

/** Parses the command line; throws Trouble with what to do. `undefined` means: help was asked for. */
export function parseOptions(argv: readonly string[]): StartOptions | undefined {
  let values: ReturnType<typeof parse>['values']
  try {
    values = parse(argv).values
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // What npm leaves of an option that it took for itself is the value alone.
    const dashes =
      code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL'
        ? ' Options go behind a double dash: npm start -- --port 9000.'
        : ''
    throw new Trouble(`${message.split('. ')[0]}.${dashes} "npm start -- --help" lists the options.`)
  }
  if (values.help) return undefined
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new Trouble(`--port ${values.port} is not a port: give a number from 1 to 65535.`)
  }
  return {
    port,
    listen: values.listen,
    hostname: values.hostname ?? defaultHostname(),
    state: path.resolve(values.state ?? defaultState()),
    host: hostOption(values.host, values['host-token']),
    install: !values['no-install'],
  }
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: false,
    options: {
      port: { type: 'string', default: '8080' },
      listen: { type: 'string', default: '127.0.0.1' },
      hostname: { type: 'string' },
      state: { type: 'string' },
      host: { type: 'string' },
      'host-token': { type: 'string' },
      'no-install': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
}

function hostOption(host: string | undefined, tokenFile: string | undefined): StartOptions['host'] {
  if (host === undefined) return { kind: 'auto' }
  if (host === 'kvm' || host === 'lab') return { kind: host }
  if (!/^wss?:\/\/[^/]+/.test(host)) {
    throw new Trouble(
      `--host ${host}: say kvm, lab, or the address of an agent that begins with ws:// or wss://.`,
    )
  }
  if (!tokenFile)
    throw new Trouble(`--host ${host} also needs --host-token FILE, the file with that agent's token.`)
  return { kind: 'remote', url: host.replace(/\/+$/, ''), tokenFile: path.resolve(tokenFile) }
}

/** Whether an address can be reached from this machine only. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(\.\d{1,3}){3}$/.test(address)
}

/** This machine's name as others on the network find it (mDNS). */
export function defaultHostname(): string {
  const name = os.hostname().toLowerCase()
  return name.includes('.') ? name : `${name}.local`
}

export function defaultState(): string {
  if (process.getuid?.() === 0) return '/var/lib/hearth'
  return path.join(process.env.XDG_STATE_HOME ?? path.join(os.homedir(), '.local/state'), 'hearth')
}
