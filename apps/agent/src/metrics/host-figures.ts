/** What the whole box does, from /proc and /sys. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Seconds all CPUs together have been busy since boot (proc_stat(5)); time a hypervisor took away is not work. */
export function parseBusySeconds(statText: string): number {
  const fields = /^cpu +(.+)$/m.exec(statText)?.[1]?.split(' ').map(Number) ?? []
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields
  // Guests' time is in `user` already.
  return (user + nice + system + irq + softirq) / 100
}

export async function busySeconds(): Promise<number> {
  return parseBusySeconds(await readFile('/proc/stat', 'utf8'))
}

const processorSensors = ['coretemp', 'k10temp', 'zenpower', 'cpu_thermal']

/** Of the processor, in degrees Celsius; null where no sensor tells (hwmon, sysfs-interface of the kernel). */
export async function processorTemperature(root = '/sys/class/hwmon'): Promise<number | null> {
  for (const name of await readdir(root).catch(() => [])) {
    const read = (file: string) => readFile(join(root, name, file), 'utf8').catch(() => '')
    if (!processorSensors.includes((await read('name')).trim())) continue
    const milli = Number.parseInt(await read('temp1_input'), 10)
    if (Number.isFinite(milli)) return milli / 1000
  }
  return null
}
