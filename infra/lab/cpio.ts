/**
 * Writes a `newc` cpio archive, the format the kernel unpacks as an initramfs (Documentation/driver-api/early-userspace/
 * buffer-format.rst). Made here rather than with cpio(1) because device nodes then need no root and the bytes depend on
 * nothing but the content.
 */
export type CpioEntry =
  | { path: string; type: 'directory'; mode?: number }
  | { path: string; type: 'file'; data: Uint8Array; mode?: number }
  | { path: string; type: 'symlink'; target: string }
  | { path: string; type: 'character-device'; major: number; minor: number; mode?: number }

const S_IFDIR = 0o040000
const S_IFREG = 0o100000
const S_IFLNK = 0o120000
const S_IFCHR = 0o020000

/** Paths are relative, without a leading slash; parents must come before their children. */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = []
  let inode = 1
  for (const entry of entries) parts.push(...member(entry, inode++))
  parts.push(...member({ path: 'TRAILER!!!', type: 'file', data: new Uint8Array(0), mode: 0 }, 0))
  return Buffer.concat(parts)
}

function member(entry: CpioEntry, inode: number): Buffer[] {
  const data = contents(entry)
  const device = entry.type === 'character-device' ? entry : { major: 0, minor: 0 }
  const name = Buffer.from(`${entry.path}\0`)
  const fields = [
    ...[inode, mode(entry), 0, 0, entry.type === 'directory' ? 2 : 1, 0, data.length],
    ...[0, 0, device.major, device.minor, name.length, 0],
  ]
  const header = Buffer.from(`070701${fields.map((n) => n.toString(16).padStart(8, '0')).join('')}`)
  return [header, name, padding(header.length + name.length), data, padding(data.length)]
}

function contents(entry: CpioEntry): Buffer {
  if (entry.type === 'file') return Buffer.from(entry.data.buffer, entry.data.byteOffset, entry.data.length)
  return entry.type === 'symlink' ? Buffer.from(entry.target) : Buffer.alloc(0)
}

function mode(entry: CpioEntry): number {
  switch (entry.type) {
    case 'directory':
      return S_IFDIR | (entry.mode ?? 0o755)
    case 'file':
      return entry.path === 'TRAILER!!!' ? 0 : S_IFREG | (entry.mode ?? 0o644)
    case 'symlink':
      return S_IFLNK | 0o777
    case 'character-device':
      return S_IFCHR | (entry.mode ?? 0o600)
  }
}

const padding = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4)
