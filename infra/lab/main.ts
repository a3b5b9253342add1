/**
 * `npm run lab -- [options] COMMAND …`: runs one command in a lab host of its own; its output, input, exit code and
 * Ctrl-C are the command's.
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parseSize } from '@hearth/shared/units'
import { ensurePackages } from '../lib/debian.ts'
import { Steps, Trouble } from '../lib/steps.ts'
import type { DataDisk } from './data-disk.ts'
import { type LabOptions, type PortForward, type Share, startLab } from './lab.ts'
import { LabError } from './lab-error.ts'
import { debianPackages } from './packages.ts'

const usage = `Usage: npm run lab -- [options] COMMAND [ARGUMENT…]

Runs COMMAND in a lab host: an emulated machine with a real /dev/kvm inside, this repository and Node at the same
paths. What it writes outside of writable shares is thrown away at the end.

  --port [ADDRESS:]HOST:GUEST  reach port GUEST of the lab at port HOST of this machine (on loopback unless an
                               ADDRESS is named); repeatable
  --cpus N                     CPUs of the lab (default 2)
  --memory SIZE                memory of the lab (default 4G)
  --share DIR[:rw]             see DIR inside as it is now, at the same path; writable with :rw; repeatable
  --disk FILE:SIZE:PATH        an XFS in a FILE of this machine, mounted at PATH and kept between runs
  --console                    print the lab's own console too (on standard error)
  --quiet                      do not tell what happens before COMMAND starts
  --no-install                 do not install missing Debian packages, only name them
  --help
`

const config = {
  port: { type: 'string', multiple: true },
  cpus: { type: 'string' },
  memory: { type: 'string' },
  share: { type: 'string', multiple: true },
  disk: { type: 'string' },
  console: { type: 'boolean' },
  quiet: { type: 'boolean' },
  'no-install': { type: 'boolean' },
  help: { type: 'boolean' },
} as const

async function main(): Promise<number> {
  const [ours, command, ...args] = splitCommand(process.argv.slice(2))
  const values = parseOptions(ours)
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  if (command === undefined) throw new Trouble(`No command was given.\n\n${usage}`)
  const options = labOptions(values)
  const steps = new Steps()
  await ensurePackages(steps, debianPackages, { install: !values['no-install'] })
  const onConsole = values.console ? { onConsole: (text: string) => void process.stderr.write(text) } : {}
  await using lab = values.quiet
    ? await startLab({ ...options, ...onConsole })
    : await steps.run(
        'Lab host',
        (step) =>
          startLab({
            ...options,
            ...onConsole,
            onProgress: (at) => step.detail(at.detail ? `${at.step}: ${at.detail}` : at.step),
          }),
        () => '',
      )
  const terminal =
    process.stdin.isTTY && process.stdout.isTTY
      ? { columns: process.stdout.columns, rows: process.stdout.rows }
      : undefined
  const inside = lab.spawn(command, args, { stdin: true, cwd: process.cwd(), terminal })
  // Ctrl-C is for the command: a terminal inside turns the byte into a signal, without one we pass the signal on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => inside.kill(signal))
  const streams = await inside.started
  if (terminal) process.stdin.setRawMode(true)
  process.stdin.pipe(streams.stdin!)
  streams.stdout.pipe(process.stdout, { end: false })
  streams.stderr.pipe(process.stderr, { end: false })
  try {
    return (await inside.exit).code
  } finally {
    if (terminal) process.stdin.setRawMode(false)
    process.stdin.unpipe()
    process.stdin.pause()
  }
}

/** Our options end where the command begins: what comes behind it is its own. */
function splitCommand(argv: string[]): [string[], ...string[]] {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === '--') return [argv.slice(0, at), ...argv.slice(at + 1)]
    if (!word.startsWith('-')) return [argv.slice(0, at), ...argv.slice(at)]
    const option = config[word.slice(2) as keyof typeof config]
    if (option?.type === 'string') at++
  }
  return [argv]
}

function parseOptions(args: string[]) {
  try {
    return parseArgs({ args, options: config, allowPositionals: false }).values
  } catch (error) {
    throw new Trouble(`${(error as Error).message}\n\n${usage}`)
  }
}

function labOptions(values: ReturnType<typeof parseOptions>): LabOptions {
  const cpus = values.cpus === undefined ? undefined : Number(values.cpus)
  if (cpus !== undefined && !(Number.isInteger(cpus) && cpus >= 1 && cpus <= 32))
    throw new Trouble(`--cpus ${values.cpus}: a whole number from 1 to 32.`)
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(values.memory === undefined ? {} : { memoryBytes: size('--memory', values.memory) }),
    ...(values.disk === undefined ? {} : { dataDisk: dataDisk(values.disk) }),
    ports: (values.port ?? []).map(portForward),
    shares: (values.share ?? []).map(share),
  }
}

function portForward(text: string): PortForward {
  const match = /^(?:([\d.]+):)?(\d+):(\d+)$/.exec(text)
  const [host, guest] = [Number(match?.[2]), Number(match?.[3])]
  if (!match || !(host > 0 && host < 65536 && guest > 0 && guest < 65536))
    throw new Trouble(`--port ${text}: HOST:GUEST, for example 8080:80.`)
  return { host, guest, ...(match[1] === undefined ? {} : { hostAddress: match[1] }) }
}

function share(text: string): Share {
  const writable = text.endsWith(':rw')
  return { path: path.resolve(writable ? text.slice(0, -3) : text), writable }
}

function dataDisk(text: string): DataDisk {
  const match = /^(.+):([^:]+):(\/[^:]+)$/.exec(text)
  if (!match) throw new Trouble(`--disk ${text}: FILE:SIZE:PATH, for example lab.img:20G:/srv/data.`)
  return { file: path.resolve(match[1]!), bytes: size('--disk', match[2]!), path: match[3]! }
}

function size(option: string, text: string): number {
  const bytes = parseSize(text)
  if (bytes === undefined) throw new Trouble(`${option} ${text}: a size such as 4G or 512M.`)
  return bytes
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    const known = error instanceof Trouble || error instanceof LabError
    process.stderr.write(`hearth: ${known ? error.message : (error as Error).stack}\n`)
    process.exitCode = 1
  },
)
