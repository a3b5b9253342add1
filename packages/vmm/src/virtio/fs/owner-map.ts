/**
 * A user namespace for an id-mapped mount (mount_setattr(2), MOUNT_ATTR_IDMAP): in it the owner of a folder on the disk
 * is the VM's user here, and nobody else is anybody.
 */
import { once } from 'node:events'
import { fstatSync, writeFileSync } from 'node:fs'
import { close, O as FLAGS, open } from '../../sys/libc.ts'
import { AT_EMPTY_PATH, MOUNT_ATTR, mountSetattr } from './system.ts'

interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * A descriptor of the namespace; the caller closes it. Undefined where it cannot be made: without root, or where user
 * namespaces are forbidden.
 */
async function ownerNamespace(onDisk: Owner, here: number): Promise<number | undefined> {
  const { spawn } = await import('node:child_process')
  // It says its own process id as /proc has it, which is not the one its parent knows in a pid namespace.
  const script = 'read -r pid rest < /proc/self/stat && echo "$pid" && read -r end'
  const child = spawn('unshare', ['--user', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
  const gone = once(child, 'close').catch(() => {})
  try {
    const said = (await Promise.race([once(child.stdout, 'data'), gone])) as [Buffer] | undefined
    const pid = Number(String(said?.[0] ?? '').trim())
    if (!Number.isInteger(pid) || pid < 1) return undefined
    writeFileSync(`/proc/${pid}/uid_map`, `${onDisk.uid} ${here} 1`)
    writeFileSync(`/proc/${pid}/gid_map`, `${onDisk.gid} ${here} 1`)
    const fd = open(`/proc/${pid}/ns/user`, FLAGS.RDONLY | FLAGS.CLOEXEC, 0)
    return fd < 0 ? undefined : fd
  } catch {
    return undefined
  } finally {
    child.kill('SIGKILL')
    await gone
  }
}

/**
 * Makes the user and group `here` the owner of what belongs to the owner of the folder behind `fd`, a detached mount: for
 * this mount alone, and nothing changes on the disk. False: everything stays as it is, because the host's kernel or the
 * file system has no such mounts, or because the folder is root's, whom no guest may act for.
 */
export async function actAsOwner(fd: number, here: number): Promise<boolean> {
  const { uid, gid } = fstatSync(fd)
  if (uid === 0 || gid === 0) return false
  const namespace = await ownerNamespace({ uid, gid }, here)
  if (namespace === undefined) return false
  const attribute = new BigUint64Array([BigInt(MOUNT_ATTR.IDMAP), 0n, 0n, BigInt(namespace)])
  const failed = mountSetattr(fd, AT_EMPTY_PATH, attribute)
  close(namespace)
  return failed >= 0
}
