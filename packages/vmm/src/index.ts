/**
 * What the rest of Hearth may use of the monitor: how to start a `hearth-vmm` and how to talk to one. The
 * machine itself runs only in that program's process. docs/embedding.md shows it to everybody else.
 */
export { vmmCommandLine } from './cli/options.ts'
export {
  type DiskOption,
  MAX_CPUS,
  type NetOption,
  type RunOptions,
  type SerialOption,
} from './cli/run-options.ts'
export { ControlClient, type ControlClientEvents } from './control/client.ts'
export { launcherCommand, launcherEnvironment } from './jail/launcher.ts'
export type { JailOption } from './jail/option.ts'
export { exitMeaning } from './sys/exit-meaning.ts'
export { refuseHugePages } from './sys/thrift.ts'
