/** Rate limits: what a guest gets of what it may have, in per cent. */
import { DISK_MIB, DOWNLOAD_MIB, GUEST, HOST } from './bench-lab.ts'
import { alone, type Bench, realSeconds, startGuest } from './measures.ts'
import { hearth } from './monitors.ts'

const LIMIT_S = 240
const MIB = 2 ** 20
const DISK = { bytesPerSecond: 16 * MIB, operationsPerSecond: 100 } as const
const NET = { bytesPerSecond: 4 * MIB } as const
/** How long a bucket fills that nobody takes from: each measure begins with a full one, whose contents are free. */
const BURST_S = 1
const READS = 480

/** Boots Linux twice: a limit of operations would hold sequential transfers, too. */
export async function measureLimits(bench: Bench): Promise<void> {
  const { figures } = bench
  const note = (what: string, wanted: number, amount: number, seconds: number): void => {
    const percent = ((amount - wanted * BURST_S) / seconds / wanted) * 100
    figures.note('hearth', `rate limit: ${what}`, '% of the limit', percent)
  }
  await limited(bench, ['--disk-limit', `ops=${DISK.operationsPerSecond}`], async (shell) => {
    const text = await shell(`sleep ${2 * BURST_S}; disk-load /dev/vda read 8 ${READS}`)
    const seconds = Number(/microseconds (\d+)/.exec(text)?.[1]) / 1e6
    note('disk, operations', DISK.operationsPerSecond, READS, seconds)
  })
  const bytes = [
    ...['--disk-limit', `bytes=${DISK.bytesPerSecond / MIB}M`],
    ...['--net-limit', `bytes=${NET.bytesPerSecond / MIB}M`],
  ]
  await limited(bench, bytes, async (shell) => {
    const disk = async (what: string, command: string): Promise<void> => {
      const dd = (count: number): string => `time dd bs=1M count=${count} ${command}`
      const text = await shell(`sleep ${2 * BURST_S}; ${dd(0)}; ${dd(DISK_MIB)}`)
      // Its start is no part of it.
      const [start = '', whole = ''] = text.split(/(?<=sys.*\n)/)
      note(what, DISK.bytesPerSecond, DISK_MIB * MIB, realSeconds(whole) - realSeconds(start))
    }
    await disk('disk, bytes read', 'if=/dev/vda of=/dev/null iflag=direct')
    await disk('disk, bytes written', 'if=/dev/zero of=/dev/vda oflag=direct')
    await shell(`ip link set eth0 up; ip addr add ${GUEST}/24 dev eth0; ping -c 3 ${HOST}`)
    const download = await shell(`sleep ${2 * BURST_S}; time wget -q -O /dev/null http://${HOST}:8125/file`)
    note('network, bytes received', NET.bytesPerSecond, DOWNLOAD_MIB * MIB, realSeconds(download))
    await shell(`mkdir /www; dd if=/dev/zero of=/www/file bs=1M count=${DOWNLOAD_MIB}; httpd -h /www`)
    const upload = await bench.lab.run(
      `sleep ${2 * BURST_S}; busybox sh -c 'time busybox wget -q -O /dev/null http://${GUEST}/file' 2>&1`,
    )
    note('network, bytes sent', NET.bytesPerSecond, DOWNLOAD_MIB * MIB, realSeconds(upload))
  })
}

async function limited(
  bench: Bench,
  limits: readonly string[],
  work: (shell: (command: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  await alone(bench, 'hearth', `rate limits (${limits.join(' ')})`, LIMIT_S, async () => {
    const guest = startGuest(bench, [...hearth.command(bench.lab.linux), ...limits])
    try {
      await guest.until(/guest# /)
      await work((command) => guest.shell(command))
    } finally {
      await guest.process.stop(1000)
    }
  })
}
