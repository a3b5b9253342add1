/**
 * The control socket of `hearth-vmm`: one JSON object a line, both ways, over a unix stream socket.
 * A request `{id, method}` is answered by `{id, ok: true, result}` or `{id, ok: false, error}`; the VMM sends
 * `{event, …}` lines to every connected client whenever its state changes. Several clients at once.
 */
import { z } from 'zod'

export const vmmStates = ['starting', 'running', 'paused', 'stopping', 'exited'] as const

/** Exit codes of `hearth-vmm`; they are part of its contract with the agent and with scripts. */
export const vmmExit = {
  poweroff: 0,
  usage: 1,
  hostRefused: 2,
  reset: 10,
  guestCrashed: 11,
  internal: 70,
} as const

export const vmmMethods = ['status', 'powerdown', 'reset', 'quit', 'pause', 'resume'] as const
/**
 * `powerdown` presses the ACPI power button (the guest decides); `reset` restarts the machine in place;
 * `quit` ends the process now, exit code 0, as pulling the plug; `pause`/`resume` stop and continue the vCPUs.
 */
export type VmmMethod = (typeof vmmMethods)[number]

export const vmmStatusSchema = z.object({
  state: z.enum(vmmStates),
  pid: z.int(),
  cpus: z.int(),
  memoryBytes: z.int(),
  /** Milliseconds since the Unix epoch. */
  startedAt: z.number(),
  /** How often the guest was reset since the process started. */
  resets: z.int(),
  /** Whether the guest reported a panic (pvpanic). */
  panicked: z.boolean(),
  serialViewers: z.int(),
})
export type VmmStatus = z.infer<typeof vmmStatusSchema>

export const vmmReplySchema = z.union([
  z.object({ id: z.int(), ok: z.literal(true), result: z.unknown() }),
  z.object({ id: z.int(), ok: z.literal(false), error: z.string() }),
])

export const vmmEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('state'), status: vmmStatusSchema }),
  z.object({ event: z.literal('panic') }),
  z.object({ event: z.literal('reset'), reason: z.string() }),
  /** Sent just before the process ends, with the exit code it will use. */
  z.object({ event: z.literal('exit'), code: z.int(), reason: z.string() }),
])
export type VmmEvent = z.infer<typeof vmmEventSchema>
