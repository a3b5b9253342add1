/** What a process that starts `hearth-vmm` puts before it, so that it begins in namespaces of its own. */

/**
 * `unshare` of util-linux, which waits for the monitor, hands on its exit code and takes it along when it is killed.
 * A process cannot do this to itself: a pid namespace begins with a child, and Node has threads from the start.
 * `user`: a user namespace too, which is what lets a user without privileges have the others.
 */
export function launcherCommand(user: boolean): string[] {
  return [
    'unshare',
    // The capabilities are needed to empty the root; the monitor gives them up afterwards.
    ...(user ? ['--user', '--map-current-user', '--keep-caps'] : []),
    ...['--mount', '--net', '--ipc', '--uts', '--pid', '--fork', '--kill-child'],
    '--',
  ]
}

/**
 * Libuv must make no io_uring of its own: no system call filter sees what the kernel does on a ring's behalf, and
 * only the disks' rings are restricted. Read by libuv when the process starts, so the launcher has to say it.
 */
export const launcherEnvironment = { UV_USE_IO_URING: '0' } as const
