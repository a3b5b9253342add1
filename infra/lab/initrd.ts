/** The lab's initial RAM disk: busybox, the modules that reach the rest, and `guest/init`. */
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'
import { cachedFolder } from './cache.ts'
import { type CpioEntry, cpioArchive } from './cpio.ts'
import type { DebianKernel } from './debian-kernel.ts'
import { moduleEntries } from './kernel-modules.ts'

/** What the root, the command channel and /dev/kvm hang on; all others come from the cache folder, on demand. */
const BOOT_MODULES = [
  ...['virtio_pci', '9p', '9pnet_virtio', 'overlay', 'virtio_net', 'virtio_blk', 'virtio-rng'],
  ...['kvm-amd', 'tun'],
]
/** What `guest/init` calls. */
const APPLETS = 'sh mount umount modprobe mkdir ln cp chmod uname poweroff switch_root'.split(' ')
const FOLDERS = ['bin', 'dev', 'proc', 'sys', 'lab', 'lower', 'writes', 'newroot', 'lib', 'lib/modules']

/** Returns the path of the initrd, made if its like is not in the cache. */
export async function labInitrd(cacheDir: string, kernel: DebianKernel): Promise<string> {
  const busybox = await staticBusybox()
  const init = (await readFile(new URL('./guest/init', import.meta.url), 'utf8')).replace(
    '@BOOT_MODULES@',
    BOOT_MODULES.join(' '),
  )
  const hash = createHash('sha256')
    .update(`${kernel.release}\0${kernel.packageVersion}\0${init}\0`)
    .update(busybox)
    .digest('hex')
  const folder = await cachedFolder(cacheDir, `lab-initrd-${hash.slice(0, 16)}`, async (making) => {
    // Not compressed: QEMU hands it over in no time, while the emulated CPU would unpack it for a second.
    await writeFile(path.join(making, 'initrd'), cpioArchive(await initrdEntries(kernel, init, busybox)))
  })
  return path.join(folder, 'initrd')
}

async function initrdEntries(kernel: DebianKernel, init: string, busybox: Buffer): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = [
    ...FOLDERS.map((folder): CpioEntry => ({ path: folder, type: 'directory' })),
    // The kernel opens it for its first program before that program can mount /dev.
    { path: 'dev/console', type: 'character-device', major: 5, minor: 1 },
    { path: 'init', type: 'file', data: Buffer.from(init), mode: 0o755 },
    { path: 'bin/busybox', type: 'file', data: busybox, mode: 0o755 },
  ]
  for (const applet of APPLETS) {
    entries.push({ path: `bin/${applet}`, type: 'symlink', target: 'busybox' })
  }
  entries.push(...(await moduleEntries(kernel, BOOT_MODULES)))
  return entries
}

/** Debian's busybox-static is linked statically, so it runs where there is nothing else yet. */
export async function staticBusybox(): Promise<Buffer> {
  const busybox = await readFile('/bin/busybox').catch(() => undefined)
  const installed = await run('dpkg-query', ['-W', '-f=${db:Status-Abbrev}', 'busybox-static'])
  if (!busybox || !installed.stdout.startsWith('ii')) {
    throw new Trouble('The Debian package busybox-static is missing: apt-get install busybox-static')
  }
  return busybox
}
