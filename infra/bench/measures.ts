/** What is measured: each measure of one monitor, once. Names in the table say from where to where. */
import { LabGuest } from '../../packages/vmm/src/testing/lab-guest.ts'
import { type BenchLab, DISK_MIB, DOWNLOAD_MIB, GUEST, HOST, PORT_ACCESSES } from './bench-lab.ts'
import type { Figures } from './figures.ts'
import { type BenchMonitor, type GuestParts, hearthArguments, hearthWaiting } from './monitors.ts'

/** What `--only` chooses from. */
export const GROUPS = ['start', 'memory', 'disk', 'net', 'limits', 'ports', 'restore', 'together'] as const
export type Group = (typeof GROUPS)[number]

export interface Bench {
  readonly lab: BenchLab
  readonly figures: Figures
  readonly only: ReadonlySet<Group>
  /** Guests that have not ended. */
  readonly running: Set<LabGuest>
}

/** How long a guest may take from its start to what is asked of it, in seconds. */
const START_S = 120
/** How long one transfer may take. */
const TRANSFER_S = 90
const READS = 2000
const PINGS = 300
const NOTIFIES = 2000
/** Transfers before the one that counts: after the first V8 still compiles what moves packets. */
const WARM_TRANSFERS = 3
/** Laps of the port guest that count; the first one warms up. */
const LAPS = 3

const LINUX_START = 'Linux: start of the process to the guest’s first program'
const HELLO_START = 'start of the process to the guest’s first instruction'

const seconds = (since: number): number => (performance.now() - since) / 1000

export function startGuest(bench: Bench, command: readonly string[]): LabGuest {
  const [program, ...args] = command
  const guest = new LabGuest(bench.lab.lab, args, program)
  bench.running.add(guest)
  void guest.process.ended.then(() => bench.running.delete(guest))
  return guest
}

/** An attempt with guests of its own, none of which is left when its time is over. */
export async function alone(
  bench: Bench,
  monitor: string,
  what: string,
  limit: number,
  work: () => Promise<void>,
): Promise<void> {
  if (await bench.figures.attempt(monitor, what, limit, work)) return
  await Promise.all([...bench.running].map((guest) => guest.process.stop(1000)))
}

/** What the shell's `time` says, with two digits: what is measured should take a second or more. */
export function realSeconds(text: string): number {
  const found = /real\s+(\d+)m\s*([\d.]+)s/.exec(text)
  if (!found) throw new Error(`no time in: ${text}`)
  return Number(found[1]) * 60 + Number(found[2])
}

/** Linux once from its start to its end, and in between all that is asked of it. */
export async function measureLinux(bench: Bench, monitor: BenchMonitor): Promise<void> {
  const { figures, only, lab } = bench
  const wanted = (group: Group): boolean => only.has(group)
  if (!['start', 'memory', 'disk', 'net'].some((group) => wanted(group as Group))) return
  const begin = performance.now()
  const guest = startGuest(bench, monitor.command(lab.linux))
  let lost = false
  const attempt: Attempt = async (what, limit, work) => {
    if (!lost) lost = !(await figures.attempt(monitor.name, what, limit, work))
    else {
      const reason = 'not tried: the guest is still busy with what came before'
      figures.failures.push({ monitor: monitor.name, measure: what, reason })
    }
  }
  let up = false
  try {
    await attempt('start', START_S, async () => {
      await guest.until(/GUEST UP/)
      figures.note(monitor.name, LINUX_START, 's', seconds(begin))
      await guest.until(/guest# /)
      up = true
    })
    if (!up) {
      figures.say(`${guest.errors.slice(-1000)}\n--- console ---\n${guest.output.slice(-1000)}`)
      return
    }
    if (wanted('memory')) {
      await attempt('memory', 30, async () => {
        const kib = Number(await privateMemory(lab, monitor, lab.linux.name))
        figures.note(monitor.name, 'private memory beside the guest’s own, at the prompt', 'MiB', kib / 1024)
      })
    }
    if (wanted('disk')) await measureDisk(guest, monitor, figures, attempt)
    if (wanted('net')) await measureNet(lab, guest, monitor, figures, attempt)
    if (wanted('memory')) {
      await attempt('memory', monitor.settlesMs / 1000 + 30, async () => {
        await new Promise((resolve) => setTimeout(resolve, monitor.settlesMs))
        const kib = Number(await privateMemory(lab, monitor, lab.linux.name))
        const title = 'the same, idle after the disk and network measures'
        figures.note(monitor.name, title, 'MiB', kib / 1024)
      })
    }
  } finally {
    await guest.process.stop(1000)
  }
}

type Attempt = (what: string, limit: number, work: () => Promise<void>) => Promise<void>

/**
 * Everything is done before it counts, disks once: both compilers at work here, V8's and that of the lab's emulated
 * processor, translate while they run.
 */
async function measureDisk(
  guest: LabGuest,
  { name }: BenchMonitor,
  figures: Figures,
  attempt: Attempt,
): Promise<void> {
  const random = (what: 'read' | 'write', workers: number, title: string): Promise<void> =>
    attempt(title, TRANSFER_S, async () => {
      const text = await guest.shell(`disk-load /dev/vda ${what} ${workers} ${READS}`)
      const microseconds = Number(/microseconds (\d+)/.exec(text)?.[1])
      figures.note(name, title, 'µs', microseconds / READS)
    })
  const sequential = (title: string, command: string): Promise<void> =>
    attempt(title, TRANSFER_S, async () => {
      await guest.shell(`dd bs=1M count=${DISK_MIB} ${command}`)
      const text = await guest.shell(`time dd bs=1M count=${DISK_MIB} ${command}`)
      figures.note(name, title, 'MiB/s', DISK_MIB / realSeconds(text), false)
    })
  await attempt('notify', TRANSFER_S, async () => {
    // Each read of the entropy device is one buffer, one notify and one interrupt.
    await guest.shell(`dd if=/dev/hwrng of=/dev/null bs=64 count=${NOTIFIES}`)
    const text = await guest.shell(`time dd if=/dev/hwrng of=/dev/null bs=64 count=${NOTIFIES}`)
    figures.note(
      name,
      'notify to interrupt (64 bytes of entropy)',
      'µs',
      (realSeconds(text) / NOTIFIES) * 1e6,
    )
  })
  await random('read', 1, 'disk: 4 KiB random read, one at a time')
  await random('read', 8, 'disk: 4 KiB random read, 8 in flight')
  await random('write', 8, 'disk: 4 KiB random write, 8 in flight')
  await sequential('disk: sequential read', 'if=/dev/vda of=/dev/null iflag=direct')
  await sequential('disk: sequential write and flush', 'if=/dev/zero of=/dev/vda oflag=direct conv=fsync')
}

async function measureNet(
  lab: BenchLab,
  guest: LabGuest,
  { name }: BenchMonitor,
  figures: Figures,
  attempt: Attempt,
): Promise<void> {
  await attempt('network: round trip', TRANSFER_S, async () => {
    await guest.shell(`ip link set eth0 up; ip addr add ${GUEST}/24 dev eth0; ping -c 3 ${HOST}`)
    const ping = await guest.shell(`ping -q -c ${PINGS} -i 0.005 ${HOST}`)
    figures.note(name, 'network: round trip', 'µs', Number(/= [\d.]+\/([\d.]+)\//.exec(ping)?.[1]) * 1000)
  })
  await attempt('network: download', TRANSFER_S, async () => {
    const get = `wget -q -O /dev/null http://${HOST}:8125/file`
    for (let i = 0; i < WARM_TRANSFERS; i++) await guest.shell(get)
    const text = await guest.shell(`time ${get}`)
    figures.note(name, 'network: download', 'MiB/s', DOWNLOAD_MIB / realSeconds(text), false)
  })
  await attempt('network: upload', TRANSFER_S, async () => {
    await guest.shell(`mkdir /www; dd if=/dev/zero of=/www/file bs=1M count=${DOWNLOAD_MIB}; httpd -h /www`)
    const get = `busybox wget -q -O /dev/null http://${GUEST}/file`
    for (let i = 0; i < WARM_TRANSFERS; i++) await lab.run(get)
    const text = await lab.run(`busybox sh -c 'time ${get}' 2>&1`)
    figures.note(name, 'network: upload', 'MiB/s', DOWNLOAD_MIB / realSeconds(text), false)
  })
}

/** KiB this process wrote, without the guest's RAM: what one VM more costs, since programs are shared by all. */
const privateMemory = (lab: BenchLab, { ramMapping }: BenchMonitor, name: string): Promise<string> =>
  lab.run(
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

/** A guest of a few instructions: nearly all of this is the monitor's own start. */
export async function measureHello(bench: Bench, monitor: BenchMonitor): Promise<void> {
  const title = HELLO_START
  await alone(bench, monitor.name, title, START_S, async () => {
    const begin = performance.now()
    const guest = startGuest(bench, monitor.command(bench.lab.hello))
    try {
      await guest.until(/a/)
      bench.figures.note(monitor.name, title, 's', seconds(begin))
    } finally {
      await guest.process.stop(1000)
    }
  })
}

/** The same two starts by a process that waited for them, from the moment it is told of the VM. */
export async function measureWarm(bench: Bench): Promise<void> {
  const { lab, figures } = bench
  const start = async (title: string, parts: GuestParts, up: RegExp): Promise<void> => {
    await alone(bench, 'hearth-warm', title, START_S, async () => {
      const guest = startGuest(bench, hearthWaiting)
      try {
        while (!guest.errors.includes('ready')) await new Promise((resolve) => setTimeout(resolve, 50))
        const begin = performance.now()
        await guest.type(`${JSON.stringify({ run: hearthArguments(parts).slice(1) })}\n`)
        await guest.until(up)
        figures.note('hearth-warm', title, 's', seconds(begin))
      } finally {
        await guest.process.stop(1000)
      }
    })
  }
  await start(LINUX_START, lab.linux, /GUEST UP/)
  await start(HELLO_START, lab.hello, /a/)
}

/** How long an exit takes and what a monitor adds to it. The C loop does nothing with it at all. */
export async function measurePorts(bench: Bench, name: string, command: readonly string[]): Promise<void> {
  await alone(bench, name, 'port access', START_S, async () => {
    const guest = startGuest(bench, command)
    try {
      await guest.until(/c/)
      const writes: number[] = []
      const reads: number[] = []
      for (let lap = 0; lap < LAPS; lap++) {
        await guest.until(/a/)
        const a = performance.now()
        await guest.until(/b/)
        const b = performance.now()
        await guest.until(/c/)
        writes.push(b - a)
        reads.push(performance.now() - b)
      }
      const one = (laps: readonly number[]): number => (Math.min(...laps) * 1000) / PORT_ACCESSES
      bench.figures.note(name, 'port write nobody listens to', 'µs', one(writes))
      bench.figures.note(name, 'port read of a device (clock)', 'µs', one(reads))
    } finally {
      await guest.process.stop(1000)
    }
  })
}

/** From the first process's start to the last guest's first instruction. */
export async function measureTogether(bench: Bench, monitor: BenchMonitor, count: number): Promise<void> {
  const title = `${count} VMs started at once: all run`
  await alone(bench, monitor.name, title, 2 * START_S, async () => {
    const begin = performance.now()
    const guests = Array.from({ length: count }, (_, i) =>
      startGuest(bench, monitor.command({ ...bench.lab.hello, name: `many${i}` })),
    )
    try {
      await Promise.all(guests.map((guest) => guest.until(/a/)))
      bench.figures.note(monitor.name, title, 's', seconds(begin))
    } finally {
      await Promise.all(guests.map((guest) => guest.process.stop(1000)))
    }
  })
}

/** Saves Linux while it prints, to be restored by measureRestore. Returns the folder. */
export async function saveForRestore(bench: Bench, monitor: BenchMonitor): Promise<string | undefined> {
  const { data, linux, run } = bench.lab
  const slot = `${data}/slot`
  let saved: string | undefined
  await alone(bench, monitor.name, 'snapshot', START_S, async () => {
    const command = monitor.command({ ...linux, disk: undefined, tap: undefined })
    const more = ['--snapshot-slot', slot, '--control', `unix:${data}/control`]
    const guest = startGuest(bench, [...command, ...more])
    try {
      await guest.until(/guest# /)
      await guest.type('while :; do echo tick; done\n')
      await guest.until(/tick\r\n/)
      await run(
        `node -e "
          const c = require('node:net').connect('${data}/control')
          c.write(JSON.stringify({ id: 1, method: 'snapshot', params: { after: 'quit' } }) + '\\n')
          c.on('data', (d) => { if (String(d).includes('\\"id\\":1')) process.exit() })"`,
      )
      await guest.process.exit
      saved = slot
    } finally {
      await guest.process.stop(1000)
    }
  })
  return saved
}

/** From the start of the process to the first byte the restored guest prints. */
export async function measureRestore(bench: Bench, monitor: BenchMonitor, slot: string): Promise<void> {
  const title = 'restore of a snapshot to the guest’s first output'
  await alone(bench, monitor.name, title, START_S, async () => {
    const [program, entry] = monitor.command(bench.lab.hello)
    const begin = performance.now()
    const guest = startGuest(bench, [program!, entry!, 'run', '--restore', slot])
    try {
      await guest.until(/tick/)
      bench.figures.note(monitor.name, title, 's', seconds(begin))
    } finally {
      await guest.process.stop(1000)
    }
  })
}
