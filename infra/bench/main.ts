/**
 * `npm run bench`: the monitor beside QEMU, in one lab, with the same kernel, initrd, devices and files. Every round
 * measures each monitor once, so that whatever disturbs the machine disturbs all of them.
 */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { GIB } from '@hearth/shared/units'
import { guestInitrd, LabGuest } from '../../packages/vmm/src/testing/lab-guest.ts'
import { extractVmlinux } from '../../packages/vmm/src/testing/vmlinux.ts'
import { buildPrograms } from '../build/programs.ts'
import { debianKernel } from '../lab/debian-kernel.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { labQemu } from '../lab/qemu.ts'
import { cacheDirectory, inRepository, repository } from '../lib/paths.ts'
import { type BenchMonitor, benchMonitors, type GuestParts } from './monitors.ts'
import { type BenchReport, type Measure, reportTable } from './report.ts'

const HOST = '192.168.235.1'
const GUEST = '192.168.235.2'
const TAP = 'hearth-bench'
const DATA = '/srv/bench'
const DISK_MIB = 96
const DOWNLOAD_MIB = 24

const usage = `Usage: npm run bench -- [--rounds N] [--together N] [--keep]
Measures hearth-vmm beside QEMU (microvm and q35) in a lab host and prints a table.

  --rounds N     how often each monitor is measured (default 3)
  --together N   how many VMs are started at once (default 20; 0 leaves it out)
  --keep         writes docs/benchmarks/lab.json and lab.md
`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    together: { type: 'string', default: '20' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
})
const rounds = Number(values.rounds)
const together = Number(values.together)
if (values.help || !(rounds >= 1) || !(together >= 0)) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 1)
}

const measures = new Map<string, Measure & { figures: Record<string, number[]> }>()
function note(monitor: string, name: string, unit: string, value: number, lessIsBetter = true): void {
  const measure = measures.get(name) ?? { name, unit, lessIsBetter, figures: {} }
  measures.set(name, measure)
  const figures = measure.figures[monitor] ?? []
  measure.figures[monitor] = [...figures, value]
  process.stderr.write(`${monitor}: ${name} ${value.toFixed(3)} ${unit}\n`)
}

const seconds = (since: number): number => (performance.now() - since) / 1000
/** What the shell's `time` says, with two digits: what is measured should take a second or more. */
function realSeconds(text: string): number {
  const found = /real\s+(\d+)m\s*([\d.]+)s/.exec(text)
  if (!found) throw new Error(`no time in: ${text}`)
  return Number(found[1]) * 60 + Number(found[2])
}

async function inLab(lab: Lab, script: string): Promise<string> {
  const { code, stdout, stderr } = await lab.run('sh', ['-ec', script], { timeoutMs: 300_000 })
  if (code !== 0) throw new Error(`${script}\n${stderr}`)
  return stdout.trim()
}

/** KiB this process wrote, without the guest's RAM: what one VM more costs, since programs are shared by all. */
const privateMemory = (lab: Lab, { ramMapping }: BenchMonitor, name: string): Promise<string> =>
  inLab(
    lab,
    `for folder in /proc/[0-9]*; do
       line=$(tr '\\0' ' ' < $folder/cmdline 2>/dev/null) || continue
       case "$line" in
         sh*) ;;
         *${name}*)
           awk -v ram='${ramMapping}' '
             /^[0-9a-f]+-[0-9a-f]+ / { skip = index($0, ram) > 0 }
             /^Private_Dirty:/ && !skip { sum += $2 }
             END { print sum }' $folder/smaps
           break ;;
       esac
     done`,
  )

async function measureOne(lab: Lab, monitor: BenchMonitor, parts: GuestParts): Promise<void> {
  const begin = performance.now()
  const [program, ...args] = monitor.command(parts)
  const guest = new LabGuest(lab, args, program)
  try {
    await guest.until(/GUEST UP/)
    note(monitor.name, 'start of the process to the guest’s first program', 's', seconds(begin))
    await guest.until(/guest# /)
    note(
      monitor.name,
      'private memory beside the guest’s own',
      'MiB',
      Number(await privateMemory(lab, monitor, parts.name)) / 1024,
    )
    const small = await guest.shell('time dd if=/dev/vda of=/dev/null bs=4k count=4000 iflag=direct')
    note(monitor.name, 'disk: 4 KiB read, one at a time', 'µs', (realSeconds(small) / 4000) * 1e6)
    const large = await guest.shell(`time dd if=/dev/vda of=/dev/null bs=1M count=${DISK_MIB} iflag=direct`)
    note(monitor.name, 'disk: sequential read', 'MiB/s', DISK_MIB / realSeconds(large), false)
    const write = await guest.shell(
      `time dd if=/dev/zero of=/dev/vda bs=1M count=${DISK_MIB} oflag=direct conv=fsync`,
    )
    note(monitor.name, 'disk: sequential write and flush', 'MiB/s', DISK_MIB / realSeconds(write), false)

    await guest.shell(`ip link set eth0 up; ip addr add ${GUEST}/24 dev eth0; ping -c 3 ${HOST}`)
    const ping = await guest.shell(`ping -q -c 300 -i 0.005 ${HOST}`)
    const average = /= [\d.]+\/([\d.]+)\//.exec(ping)?.[1]
    if (average === undefined) throw new Error(`no round trip in: ${ping}`)
    note(monitor.name, 'network: round trip', 'µs', Number(average) * 1000)
    const get = await guest.shell(`time wget -q -O /dev/null http://${HOST}:8125/file`)
    note(monitor.name, 'network: download', 'MiB/s', DOWNLOAD_MIB / realSeconds(get), false)
    await guest.type('poweroff -f\n')
    await guest.process.exit
  } finally {
    await guest.process.stop(1000)
  }
}

/** From the first process's start to the last guest's first program. */
async function measureTogether(
  lab: Lab,
  monitor: BenchMonitor,
  parts: GuestParts,
  count: number,
): Promise<void> {
  const begin = performance.now()
  const guests = Array.from({ length: count }, (_, i) => {
    const [program, ...args] = monitor.command({
      ...parts,
      disk: undefined,
      tap: undefined,
      name: `many${i}`,
    })
    return new LabGuest(lab, args, program)
  })
  try {
    await Promise.all(guests.map((guest) => guest.until(/GUEST UP/)))
    note(monitor.name, `${count} VMs started at once, all up`, 's', seconds(begin))
  } finally {
    await Promise.all(guests.map((guest) => guest.process.stop(1000)))
  }
}

/** From the start of the process to the first byte the restored guest prints. */
async function measureRestore(lab: Lab, monitor: BenchMonitor, parts: GuestParts): Promise<void> {
  const [program, ...args] = monitor.command({ ...parts, disk: undefined, tap: undefined })
  const slot = `${DATA}/slot`
  const first = new LabGuest(
    lab,
    [...args, '--snapshot-slot', slot, '--control', `unix:${DATA}/control`],
    program,
  )
  await first.until(/guest# /)
  await first.type('while :; do echo tick; done\n')
  await first.until(/tick/)
  await inLab(
    lab,
    `node -e "
      const c = require('node:net').connect('${DATA}/control')
      c.write(JSON.stringify({ id: 1, method: 'snapshot', params: { after: 'quit' } }) + '\\n')
      c.on('data', (d) => { if (String(d).includes('\\"id\\":1')) process.exit() })"`,
  )
  await first.process.exit
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now()
    const again = new LabGuest(lab, [args[0]!, 'run', '--restore', slot], program)
    await again.until(/tick/)
    note(monitor.name, 'restore of a snapshot to the guest’s first output', 's', seconds(begin))
    await again.process.stop(1000)
  }
}

await buildPrograms()
const scratch = await mkdtemp(path.join(os.tmpdir(), 'hearth-bench-'))
try {
  const qemu = await labQemu(cacheDirectory, (detail) => process.stderr.write(`${detail}\n`))
  const debian = await debianKernel(cacheDirectory, 'cloud-amd64', () => {})
  const kernel = path.join(scratch, 'vmlinux')
  const initrd = path.join(scratch, 'initrd')
  await writeFile(kernel, extractVmlinux(await readFile(debian.vmlinuz)))
  await writeFile(initrd, await guestInitrd(debian.modules))
  const lab = await startLab({
    cpus: 1,
    memoryBytes: 6 * GIB,
    shares: [cacheDirectory, { path: scratch, writable: true }],
    dataDisk: { path: DATA, file: path.join(scratch, 'data.img'), bytes: 8 * GIB },
  })
  try {
    await inLab(
      lab,
      `mkdir -p ${DATA}/www && cd ${DATA}
       dd if=/dev/urandom of=disk.raw bs=1M count=${DISK_MIB} 2>/dev/null
       dd if=/dev/urandom of=www/file bs=1M count=${DOWNLOAD_MIB} 2>/dev/null
       ip tuntap add ${TAP} mode tap vnet_hdr
       ip addr add ${HOST}/24 dev ${TAP}
       ip link set ${TAP} up
       cat ${kernel} ${initrd} > /dev/null`,
    )
    lab.spawn('busybox', ['httpd', '-f', '-p', `${HOST}:8125`, '-h', `${DATA}/www`])
    const parts: GuestParts = {
      ...{ kernel, initrd, memoryMib: 256, disk: `${DATA}/disk.raw`, tap: TAP, name: 'bench-guest' },
      commandLine: 'console=ttyS0 quiet run=shell reboot=t',
    }
    const monitors = benchMonitors(qemu)
    for (let round = 0; round < rounds; round++) {
      for (const monitor of monitors) await measureOne(lab, monitor, parts)
    }
    await measureRestore(lab, monitors[0]!, parts)
    if (together > 0) {
      for (const monitor of monitors) {
        await measureTogether(lab, monitor, { ...parts, memoryMib: 128 }, together)
      }
    }
    const report: BenchReport = {
      v: 1,
      host: {
        kind: 'lab',
        kernel: await inLab(lab, 'uname -r'),
        qemu: qemu.version,
        node: await inLab(lab, 'node --version'),
      },
      guestKernel: debian.packageVersion,
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
        cwd: repository,
        encoding: 'utf8',
      }).trim(),
      takenAt: new Date().toISOString(),
      measures: [...measures.values()],
    }
    const table = reportTable(report)
    process.stdout.write(`\n${table}\n`)
    if (values.keep) await keep(report, table)
  } finally {
    await lab.stop()
  }
} finally {
  await rm(scratch, { recursive: true, force: true })
}

async function keep(report: BenchReport, table: string): Promise<void> {
  const folder = inRepository('docs/benchmarks')
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'lab.json'), `${JSON.stringify(report, null, 2)}\n`)
  const { host, guestKernel, commit, takenAt } = report
  await writeFile(
    path.join(folder, 'lab.md'),
    `# Figures from the lab\n\nTaken ${takenAt.slice(0, 16)}Z at commit ${commit}: lab kernel ${host.kernel}, QEMU ${host.qemu}, Node ${host.node}, guest\n${guestKernel}. The lab is an emulated machine with one CPU: the columns compare with each other, the figures say nothing\nabout real hardware. Made by \`npm run bench -- --keep\`; every run's figure is in [lab.json](lab.json).\n\n${table}\n`,
  )
}
