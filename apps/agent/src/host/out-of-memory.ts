/**
 * What the kernel ends first when the box runs out of memory (proc(5), /proc/pid/oom_score_adj). A guest's memory is
 * most of what there is: one guest is to go, and neither the agent that looks after all of them nor their network.
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** Almost never; -1000 would be never, and then a leak of ours would take the whole box down instead. */
const agentScore = -900
const monitorScore = 300

/** For the agent and what it starts, as far as it may: without root it stays what it is. */
export function protectAgent(): void {
  try {
    if (Number(readFileSync('/proc/self/oom_score_adj', 'latin1')) > agentScore)
      writeFileSync('/proc/self/oom_score_adj', String(agentScore))
  } catch {
    // Only a privileged process may lower its own.
  }
}

/** What comes before a monitor's command (choom(1), util-linux): it begins as what it is to be, its launcher too. */
export const expendable = ['choom', '-n', String(monitorScore), '--'] as const
