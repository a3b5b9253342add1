/**
 * The words in shared memory by which the main thread, the vCPU threads and the I/O thread talk: one block per
 * vCPU. Only `Atomics` touch them.
 */
export const STRIDE = 16
/** What the main thread wants of the vCPU: COMMAND_*. */
export const COMMAND = 0
/** The vCPU thread's kernel id, once it has one. */
export const TID = 1
/** What the vCPU does: STATE_*. */
export const STATE = 2
/** The mailbox, see io/mailbox.ts. */
export const MAIL = 4

export const COMMAND_WAIT = 0
export const COMMAND_RUN = 1
export const COMMAND_STOP = 2
/** Run, after tidying up once; the vCPU thread itself turns it into COMMAND_RUN. */
export const COMMAND_TIDY = 3

export const STATE_LOADING = 0
export const STATE_WAITING = 1
export const STATE_RUNNING = 2
export const STATE_STOPPED = 3

export const allocateControl = (cpus: number): SharedArrayBuffer => new SharedArrayBuffer(cpus * STRIDE * 4)
