/**
 * What the rest of Hearth may use of the monitor: how to start a `hearth-vmm` and how to talk to one. The
 * machine itself runs only in that program's process. docs/embedding.md shows it to everybody else.
 */
export { vmmCommandLine } from './cli/options.ts'
export {
  type DiskOption,
  type DisplayOption,
  MAX_CPUS,
  type MmioOption,
  type NetOption,
  type PortOption,
  type RunOptions,
  type SerialOption,
  type VsockOption,
} from './cli/run-options.ts'
export { ControlClient, type ControlClientEvents } from './control/client.ts'
export { launcherCommand, launcherEnvironment } from './jail/launcher.ts'
export type { JailOption } from './jail/option.ts'
export type { RateLimit } from './rate/token-bucket.ts'
export { exitMeaning } from './sys/exit-meaning.ts'
export { refuseHugePages } from './sys/thrift.ts'
export type { ShareOption } from './virtio/fs/thread.ts'
