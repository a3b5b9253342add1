/** CPU time and memory of a monitor and whatever it started, from /proc (proc_pid_stat(5), proc_pid_statm(5)). */
import { readFile } from 'node:fs/promises'

export interface ProcessFigures {
  /** User and system time since it began, in seconds; a vCPU's time in the guest is user time. */
  cpuSeconds: number
  memoryBytes: number
}

/** USER_HZ, which every kernel shows to programs whatever its own clock. */
const ticksPerSecond = 100
/** Of every x86-64 Linux. */
const pageBytes = 4096

/** null when the process is gone. */
export async function processFigures(pid: number): Promise<ProcessFigures | null> {
  try {
    const [statText, statm, children] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/statm`, 'utf8'),
      readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => ''),
    ])
    const figures = parseProcess(statText, statm)
    for (const child of children.trim().split(/\s+/).filter(Boolean)) {
      const inner = await processFigures(Number(child))
      if (!inner) continue
      figures.cpuSeconds += inner.cpuSeconds
      figures.memoryBytes += inner.memoryBytes
    }
    return figures
  } catch {
    return null
  }
}

export function parseProcess(statText: string, statm: string): ProcessFigures {
  // The name in brackets may hold anything, brackets and blanks too; the fields after it are counted from its end.
  const fields = statText.slice(statText.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return { cpuSeconds: ticks / ticksPerSecond, memoryBytes: Number(statm.split(' ')[1]) * pageBytes }
}
