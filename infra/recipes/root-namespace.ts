/**
 * Building a disk needs root only to give files other owners. Where Hearth runs as a plain user, a user namespace does
 * the same: its root is that user, the other ids are the subordinate ones that Debian gives every account (subuid(5)).
 */
import { run } from '../lib/run.ts'

const UNSHARE = ['unshare', '--user', '--map-root-user', '--map-auto', '--mount', '--']

export interface RootNamespace {
  /** What to put before a command so that it runs as root, or as root of a namespace. */
  readonly prefix: readonly string[]
  /** What unshare(1) says when there is none: builds that need root then say so themselves. */
  readonly problem: string | undefined
}

export async function rootNamespace(): Promise<RootNamespace> {
  if (process.getuid?.() === 0) return { prefix: [], problem: undefined }
  const [command = '', ...args] = [...UNSHARE, 'true']
  const result = await run(command, args).catch((error: Error) => ({ code: 1, tail: error.message }))
  if (result.code === 0) return { prefix: UNSHARE, problem: undefined }
  return { prefix: [], problem: result.tail.trim() }
}
