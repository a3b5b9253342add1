/**
 * `npm run bench`: the monitor beside QEMU, in one lab, with the same kernel, initrd, devices and files. Every round
 * measures each monitor once, so that whatever disturbs the machine disturbs all of them.
 */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildPrograms } from '../build/programs.ts'
import { debianPackages as labPackages } from '../lab/packages.ts'
import { labQemu } from '../lab/qemu.ts'
import { ensurePackages } from '../lib/debian.ts'
import { cacheDirectory, inRepository, repository } from '../lib/paths.ts'
import { duration, Steps, Trouble } from '../lib/steps.ts'
import { type BenchLab, openBenchLab } from './bench-lab.ts'
import { benchDisplay } from './display/main.ts'
import { Figures } from './figures.ts'
import { measureLimits } from './limits.ts'
import {
  type Bench,
  GROUPS,
  type Group,
  measureHello,
  measureLinux,
  measurePorts,
  measureRestore,
  measureTogether,
  measureWarm,
  saveForRestore,
} from './measures.ts'
import { type BenchMonitor, benchMonitors } from './monitors.ts'
import { benchPackages } from './programs.ts'
import { type BenchReport, failureList, reportTable } from './report.ts'
import { benchUpload } from './upload.ts'

if (process.argv[2] === 'display') {
  await benchDisplay(process.argv.slice(3))
  process.exit(0)
}
if (process.argv[2] === 'upload') {
  await benchUpload(process.argv.slice(3))
  process.exit(0)
}

const usage = `Usage: npm run bench -- [OPTION]…
       npm run bench -- display [OPTION]…    the display server beside QEMU's, on this machine
       npm run bench -- upload [OPTION]…     a file of 2 GiB through the page, and what it costs in memory
Measures hearth-vmm beside QEMU (microvm and q35) in a lab host and prints a table.

  --rounds N     how often each monitor is measured (default 3)
  --minutes N    begins no further round that would end later than this (default 19)
  --only LIST    some of ${GROUPS.join(',')}
  --together N   how many VMs are started at once, in the first round only (default 20)
  --keep         writes docs/benchmarks/lab.json and lab.md
  --no-install   says which Debian packages are missing instead of installing them
`

interface Wanted {
  readonly rounds: number
  readonly minutes: number
  readonly together: number
  readonly only: ReadonlySet<Group>
  readonly keep: boolean
  readonly install: boolean
}

function parseWanted(): Wanted {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      minutes: { type: 'string', default: '19' },
      together: { type: 'string', default: '20' },
      only: { type: 'string', default: GROUPS.join(',') },
      keep: { type: 'boolean', default: false },
      'no-install': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    process.exit(0)
  }
  const whole = (name: 'rounds' | 'minutes' | 'together', least: number): number => {
    const number = Number(values[name])
    if (!Number.isInteger(number) || number < least) {
      throw new Trouble(`--${name} ${values[name]}: give a whole number of at least ${least}`)
    }
    return number
  }
  const only = values.only.split(',')
  const unknown = only.find((name) => !GROUPS.some((group) => group === name))
  if (unknown !== undefined) throw new Trouble(`--only ${unknown}: give some of ${GROUPS.join(',')}`)
  return {
    rounds: whole('rounds', 1),
    minutes: whole('minutes', 1),
    together: whole('together', 1),
    only: new Set(GROUPS.filter((group) => only.includes(group))),
    keep: values.keep,
    install: !values['no-install'],
  }
}

async function round(
  bench: Bench,
  monitors: readonly BenchMonitor[],
  wanted: Wanted,
  first: boolean,
  slot?: string,
): Promise<void> {
  const { only, lab } = bench
  for (const monitor of monitors) await measureLinux(bench, monitor)
  if (only.has('start')) {
    for (const monitor of monitors) await measureHello(bench, monitor)
    await measureWarm(bench)
  }
  if (only.has('ports')) {
    for (const monitor of monitors) await measurePorts(bench, monitor.name, monitor.command(lab.ports))
    await measurePorts(bench, 'c-loop', lab.loop)
  }
  if (slot !== undefined) await measureRestore(bench, monitors[0]!, slot)
  if (only.has('limits')) await measureLimits(bench)
  if (first && only.has('together')) {
    for (const monitor of monitors) await measureTogether(bench, monitor, wanted.together)
  }
}

/** Returns how many rounds were begun. */
async function rounds(
  bench: Bench,
  monitors: readonly BenchMonitor[],
  wanted: Wanted,
  begin: number,
): Promise<number> {
  const slot = bench.only.has('restore') ? await saveForRestore(bench, monitors[0]!) : undefined
  let longest = 0
  for (let done = 0; done < wanted.rounds; done++) {
    const now = performance.now()
    if (done > 0 && now - begin + longest > wanted.minutes * 60_000) {
      process.stderr.write(
        `A further round would take more than --minutes ${wanted.minutes}: ${done} it is.\n`,
      )
      return done
    }
    process.stderr.write(`Round ${done + 1} of ${wanted.rounds} (${duration(now - begin)} since the start)\n`)
    await round(bench, monitors, wanted, done === 0, slot)
    longest = Math.max(longest, performance.now() - now)
  }
  return wanted.rounds
}

async function main(): Promise<number> {
  const wanted = parseWanted()
  const begin = performance.now()
  const loadBefore = os.loadavg()[0]!
  const steps = new Steps()
  await ensurePackages(steps, [...labPackages, ...benchPackages], { install: wanted.install })
  await steps.run('Programs', async () => `${await buildPrograms()} files changed`)
  const qemu = await steps.run(
    'QEMU',
    ({ detail }) => labQemu(cacheDirectory, detail),
    ({ version }) => version,
  )
  const lab = await steps.run(
    'Lab',
    () => openBenchLab(),
    () => '',
  )
  try {
    const figures = new Figures((line) => process.stderr.write(`${line}\n`))
    const bench: Bench = { lab, figures, only: wanted.only, running: new Set() }
    const begun = await rounds(bench, benchMonitors(qemu), wanted, begin)
    const report: BenchReport = {
      v: 1,
      host: await hostOf(lab, qemu.version, loadBefore),
      guestKernel: lab.guestKernel,
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
        cwd: repository,
        encoding: 'utf8',
      }).trim(),
      takenAt: new Date().toISOString(),
      rounds: begun,
      seconds: Math.round((performance.now() - begin) / 1000),
      measures: figures.measures,
      failures: figures.failures,
    }
    const table = reportTable(report)
    const failed = failureList(report.failures)
    process.stdout.write(`\n${table}\n${failed === '' ? '' : `\nNot measured:\n${failed}\n`}`)
    if (wanted.keep) await keep(report, table, failed)
    return report.failures.length === 0 ? 0 : 1
  } finally {
    await lab.close()
  }
}

async function hostOf(lab: BenchLab, qemu: string, loadBefore: number): Promise<BenchReport['host']> {
  return {
    kind: 'lab',
    kernel: await lab.run('uname -r'),
    qemu,
    node: await lab.run('node --version'),
    load: [loadBefore, os.loadavg()[0]!],
    processors: os.availableParallelism(),
  }
}

async function keep(report: BenchReport, table: string, failed: string): Promise<void> {
  const folder = inRepository('docs/benchmarks')
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'lab.json'), `${JSON.stringify(report, null, 2)}\n`)
  const { host, guestKernel, commit, takenAt, rounds: begun } = report
  const text = [
    '# Figures from the lab',
    `Taken ${takenAt.slice(0, 16)}Z at commit ${commit}, ${begun} rounds in ${duration(report.seconds * 1000)}: lab kernel ${host.kernel}, QEMU ${host.qemu},
Node ${host.node}, guest kernel ${guestKernel}. The machine under the lab has ${host.processors} processors; on average ${host.load[0].toFixed(1)} processes wanted
them in the minute before the run, ${host.load[1].toFixed(1)} in its last.`,
    `The lab is an emulated machine with one CPU: the columns compare with each other, the figures say nothing about real
hardware. Made by \`npm run bench -- --keep\`; every run's figure is in [lab.json](lab.json), and [README.md](README.md)
says what the lines mean.`,
    table,
    ...(failed === '' ? [] : [`Not measured:\n\n${failed}`]),
  ]
  await writeFile(path.join(folder, 'lab.md'), `${text.join('\n\n')}\n`)
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof Trouble)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
