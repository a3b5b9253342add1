/** `--jail` and `--no-jail` of the command line. */
import { usageError } from '../sys/exit-error.ts'

/** How a `hearth-vmm` confines itself once its machine is built; docs/jail.md tells what each one holds back. */
export type JailOption =
  /** Not at all, for development. */
  | { readonly kind: 'none' }
  /** What a process can do for itself: no privileges, Landlock, a system call filter. */
  | { readonly kind: 'process' }
  /** That, an empty root and, if told, an identity of its own, in namespaces a launcher made. */
  | {
      readonly kind: 'namespaces'
      /** The user and group it becomes. */
      readonly uid?: number | undefined
      /** A descriptor of the network namespace that has the host's TAP devices. */
      readonly hostNetwork?: number | undefined
      /** The control group it joins, a folder. */
      readonly controlGroup?: string | undefined
    }

const MAX_UID = 2 ** 32 - 2

/** Parses `namespaces[,uid=N][,net=FD][,cgroup=FOLDER]`, what `--jail` is given. Throws ExitError (usage). */
export function parseJail(text: string): JailOption {
  const match = /^namespaces(?:,uid=(\d{1,10}))?(?:,net=(\d{1,4}))?(?:,cgroup=(.+))?$/.exec(text)
  const uid = match?.[1] === undefined ? undefined : Number(match[1])
  if (!match || (uid !== undefined && (uid < 1 || uid > MAX_UID))) {
    throw usageError(`--jail ${text}: write namespaces[,uid=N][,net=FD][,cgroup=FOLDER]`)
  }
  return {
    kind: 'namespaces',
    uid,
    hostNetwork: match[2] === undefined ? undefined : Number(match[2]),
    controlGroup: match[3],
  }
}

/** The arguments that `parseJail` and the parser of `--no-jail` read back. */
export function jailArguments(option: JailOption | undefined): string[] {
  if (option === undefined || option.kind === 'process') return []
  if (option.kind === 'none') return ['--no-jail']
  const { uid, hostNetwork, controlGroup } = option
  const value = [
    'namespaces',
    ...(uid === undefined ? [] : [`uid=${uid}`]),
    ...(hostNetwork === undefined ? [] : [`net=${hostNetwork}`]),
    ...(controlGroup === undefined ? [] : [`cgroup=${controlGroup}`]),
  ]
  return ['--jail', value.join(',')]
}
