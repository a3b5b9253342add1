/**
 * What happens to a VM whose watchdog its guest started and does not reload any more: it is reset, switched off, held
 * still for somebody to look at, or only spoken of.
 */
export const watchdogActions = ['reset', 'poweroff', 'pause', 'event'] as const
export type WatchdogAction = (typeof watchdogActions)[number]
