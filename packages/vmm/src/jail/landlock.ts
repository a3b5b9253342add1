/**
 * Landlock (Documentation/userspace-api/landlock.rst): no access to files by name, no TCP ports, no
 * abstract sockets of others. It holds for the thread that asks and for threads started by it later.
 */
import { check, close, O, open } from '../sys/libc.ts'
import { landlockAddRule, landlockCreateRuleset, landlockRestrictSelf, landlockVersion } from './system.ts'

/** How many access rights to files each ABI version knows, counted from bit 0 (LANDLOCK_ACCESS_FS_*). */
const FILE_RIGHTS = [0, 13, 14, 15, 15, 16] as const
/** LANDLOCK_ACCESS_NET_BIND_TCP and _CONNECT_TCP, from ABI 4 on. */
const NET_RIGHTS = 3
/**
 * LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, from ABI 6 on. Not the scope for signals: before Linux 6.15 it parts the
 * threads of one process, and vCPUs could not be kicked any more.
 */
const SCOPES = 1
const LANDLOCK_RULE_PATH_BENEATH = 1
const REMOVE_FILE = 1 << 5
/** READ_FILE and READ_DIR. */
const SHARED_READ = (1 << 2) | (1 << 3)
/**
 * With WRITE_FILE, REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG, MAKE_SYM; REFER (to rename from one folder to another)
 * from ABI 2 and TRUNCATE from ABI 3 on. Not EXECUTE, and nothing that makes devices, FIFOs or sockets.
 */
const SHARED_WRITE =
  SHARED_READ | (1 << 1) | (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 12) | (1 << 13) | (1 << 14)
const O_PATH = 0o10000000

/** A rule set that refuses everything, as a descriptor. `removable`: folders whose files may be removed. */
export function createRuleset(removable: readonly string[] = []): number | undefined {
  const ruleset = emptyRuleset()
  if (ruleset === undefined) return undefined
  for (const folder of removable) {
    const fd = open(folder, O_PATH | O.CLOEXEC, 0)
    // Whoever makes the socket there says what is wrong with it.
    if (fd < 0) continue
    try {
      allowBeneath(ruleset, fd, REMOVE_FILE)
    } finally {
      close(fd)
    }
  }
  return ruleset
}

/** One that refuses everything but reading what lies in the folder behind `fd`, or writing, too. */
export function createFolderRuleset(fd: number, writable: boolean): number | undefined {
  const ruleset = emptyRuleset()
  if (ruleset === undefined) return undefined
  allowBeneath(ruleset, fd, (writable ? SHARED_WRITE : SHARED_READ) & fileRights())
  return ruleset
}

const fileRights = (): number => 2 ** FILE_RIGHTS[Math.min(landlockVersion(), FILE_RIGHTS.length - 1)]! - 1

function emptyRuleset(): number | undefined {
  const version = landlockVersion()
  if (version <= 0) return undefined
  const attribute = new BigUint64Array(3)
  attribute[0] = BigInt(fileRights())
  if (version >= 4) attribute[1] = BigInt(NET_RIGHTS)
  if (version >= 6) attribute[2] = BigInt(SCOPES)
  // An older kernel takes a shorter structure.
  const size = version >= 6 ? 24 : version >= 4 ? 16 : 8
  return check('landlock_create_ruleset', landlockCreateRuleset(attribute, size))
}

function allowBeneath(ruleset: number, fd: number, rights: number): void {
  // struct landlock_path_beneath_attr, packed: u64 allowed_access; s32 parent_fd
  const rule = new DataView(new ArrayBuffer(12))
  rule.setBigUint64(0, BigInt(rights), true)
  rule.setInt32(8, fd, true)
  check('landlock_add_rule', landlockAddRule(ruleset, LANDLOCK_RULE_PATH_BENEATH, rule))
}

/** The calling thread, which must have no_new_privs. */
export function restrictThread(ruleset: number): void {
  check('landlock_restrict_self', landlockRestrictSelf(ruleset))
}
