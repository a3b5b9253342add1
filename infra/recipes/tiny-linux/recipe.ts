/** Debian's cloud kernel with busybox as initial RAM disk: a VM that is there in seconds and needs no disk. */
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { MIB } from '@hearth/shared/units'
import { type CpioEntry, cpioArchive } from '../../lab/cpio.ts'
import { type DebianKernel, debianKernel } from '../../lab/debian-kernel.ts'
import { staticBusybox } from '../../lab/initrd.ts'
import { moduleEntries } from '../../lab/kernel-modules.ts'
import { type BuildContext, type BuiltImage, type RecipeDefinition, recipeHash } from '../recipe.ts'
import { tool } from '../tool.ts'

/** What a Hearth VM has: disks, network, random numbers, the power button, the panic device, folders of the host. */
const MODULES = [
  ...['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio-rng', 'virtio_balloon', 'virtio_console'],
  ...['button', 'evdev', 'pvpanic-pci', 'pvpanic-mmio', 'crc32c_generic', 'ext4', 'virtiofs'],
]
const FOLDERS = [
  'bin',
  'dev',
  'etc',
  'etc/acpi',
  'etc/acpi/PWRF',
  'lib',
  'lib/modules',
  'mnt',
  'proc',
  'root',
  'run',
  'sys',
  'tmp',
]
/** Folders that programs of other systems expect to find things in. */
const LINKS: Record<string, string> = { sbin: 'bin', usr: '.', linuxrc: 'init' }

export const tinyLinux: RecipeDefinition = {
  imageUid: 'tiny-linux',
  name: 'Tiny Linux',
  description:
    'Debian’s kernel with a busybox shell, all in memory. Starts in seconds; for a first look and for trying things out.',
  recipeHash: recipeHash('tiny-linux'),
  kind: 'disk',
  source: 'build',
  boot: 'direct',
  version: '',
  origin: '',
  downloadBytes: 0,
  cloudInit: false,
  loginUser: null,
  // Debian's kernel does not unpack itself in less.
  minMemoryBytes: 96 * MIB,
  minDiskBytes: 0,
  build,
}

async function build(context: BuildContext): Promise<BuiltImage> {
  context.progress(5, "Fetching Debian's kernel")
  const kernel = await debianKernel(context.cacheDir, 'cloud-amd64', (detail) => {
    context.log(`${detail}\n`)
    context.progress(20, `Kernel: ${detail}`)
  })
  context.progress(80, 'Making the initial RAM disk')
  const applets = await busyboxApplets(context)
  const entries = await initrdEntries(kernel, await staticBusybox(), applets)
  await writeFile(path.join(context.folder, 'initrd'), cpioArchive(entries))
  await copyFile(kernel.vmlinuz, path.join(context.folder, 'vmlinuz'))
  return { disk: null, kernel: 'vmlinuz', initrd: 'initrd', cmdline: 'console=ttyS0' }
}

async function busyboxApplets(context: BuildContext): Promise<string[]> {
  const names: string[] = []
  await tool(context, '/bin/busybox', ['--list'], { onLine: (line) => names.push(line) })
  return names.filter((name) => name && name !== 'busybox')
}

async function initrdEntries(kernel: DebianKernel, busybox: Buffer, applets: string[]): Promise<CpioEntry[]> {
  const source = (name: string): Promise<Buffer> => readFile(path.join(import.meta.dirname, name))
  const file = async (to: string, name: string, mode = 0o755): Promise<CpioEntry> => ({
    ...{ path: to, type: 'file', data: await source(name), mode },
  })
  const init = (await source('init')).toString().replace('@MODULES@', MODULES.join(' '))
  return [
    ...FOLDERS.map(
      (folder): CpioEntry => ({ path: folder, type: 'directory', mode: folder === 'tmp' ? 0o1777 : 0o755 }),
    ),
    ...Object.entries(LINKS).map(([link, target]): CpioEntry => ({ path: link, type: 'symlink', target })),
    // The kernel opens it for its first program before that program can mount /dev.
    { path: 'dev/console', type: 'character-device', major: 5, minor: 1 },
    { path: 'init', type: 'file', data: Buffer.from(init), mode: 0o755 },
    { path: 'bin/busybox', type: 'file', data: busybox, mode: 0o755 },
    ...applets.map((name): CpioEntry => ({ path: `bin/${name}`, type: 'symlink', target: 'busybox' })),
    await file('etc/inittab', 'inittab', 0o644),
    await file('etc/profile', 'profile', 0o644),
    await file('etc/welcome', 'welcome'),
    await file('etc/console', 'console'),
    await file('etc/dhcp', 'dhcp'),
    // Where busybox's acpid looks for the power button's action.
    await file('etc/acpi/PWRF/00000080', 'power-button'),
    { path: 'etc/passwd', type: 'file', data: Buffer.from('root::0:0:root:/root:/bin/sh\n') },
    { path: 'etc/group', type: 'file', data: Buffer.from('root:x:0:\n') },
    ...(await moduleEntries(kernel, MODULES)),
  ]
}
