/**
 * Building a disk needs root only to give files other owners. Where Hearth runs as a plain user, a user namespace does
 * the same: its root is that user, the other ids are the subordinate ones that Debian gives every account (subuid(5)).
 */
import { run } from '../lib/run.ts'

const UNSHARE = ['unshare', '--user', '--map-root-user', '--map-auto', '--mount', '--']

/**
 * What to put before a command so that it runs as root, or as root of a namespace. Empty for root, and where there can be
 * no such namespace: builds that need root then say so themselves.
 */
export async function rootNamespace(): Promise<readonly string[]> {
  if (process.getuid?.() === 0) return []
  const [command = '', ...args] = [...UNSHARE, 'true']
  // Its output is not read: where it fails, a helper of its own lives on and would keep the pipe open.
  const result = await run(command, args, { stdio: 'ignore' }).catch(() => undefined)
  return result?.code === 0 ? UNSHARE : []
}
