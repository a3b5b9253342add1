/**
 * Debian 12 as a whole disk that BIOS and UEFI firmware can start, with kernel and initial RAM disk beside it for direct
 * boot. Made from Debian's packages alone, without loop devices: the file system is written by `mke2fs -d`.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { GIB, MIB } from '@hearth/shared/units'
import { aptSources, debianMirror } from '../../lab/debian-mirror.ts'
import { BuildError } from '../build-error.ts'
import { type Partition, partitionTable, partitionType, SECTOR } from '../disk/gpt.ts'
import { bootCode, embeddedCore } from '../disk/grub-bios.ts'
import { type BuildContext, type BuiltImage, type RecipeDefinition, recipeHash } from '../recipe.ts'
import { tool } from '../tool.ts'
import { imagePackages } from './packages.ts'
import { TreeProgressReader } from './progress.ts'

const SUITE = 'bookworm'
const TREE_PERCENT = 88

const sectors = (bytes: number): number => bytes / SECTOR
/** The root is last, so that it can grow with the disk; the numbers are those of Debian's own cloud images. */
const layoutOf = (diskBytes: number) =>
  ({
    biosBoot: { number: 14, firstSector: sectors(1 * MIB), sectors: sectors(1 * MIB) },
    efiSystem: { number: 15, firstSector: sectors(2 * MIB), sectors: sectors(30 * MIB) },
    root: { number: 1, firstSector: sectors(32 * MIB), sectors: sectors(diskBytes - 33 * MIB) },
  }) as const

/** What makes one Debian disk another one. */
export interface DebianVariant {
  readonly packages: readonly string[]
  /** Small, because the lab reads all of it once, holes included; the root grows to its VM's disk at the first boot. */
  readonly diskBytes: number
  /** Laid over the tree after the common ones. */
  readonly files?: string
  /** A script that runs in the tree at the end of customize.sh, as it does. */
  readonly customize?: string
  /** What of packages stays out of the tree, as dpkg's path-exclude. */
  readonly excluded?: readonly string[]
  readonly cmdline: string
}

export const debian12: RecipeDefinition = {
  imageUid: 'debian-12',
  name: 'Debian 12',
  description:
    'Debian 12 “bookworm” with cloud-init, SSH and the QEMU guest agent, built from Debian’s own packages.',
  recipeHash: recipeHash('debian-12', 'disk'),
  kind: 'disk',
  source: 'build',
  boot: 'direct',
  version: '12',
  origin: '',
  downloadBytes: 0,
  cloudInit: true,
  loginUser: 'debian',
  minMemoryBytes: 512 * MIB,
  // What a Debian with a kernel update and a few packages needs.
  minDiskBytes: 3 * GIB,
  build: (context) =>
    buildDebian(context, { packages: imagePackages, diskBytes: 1280 * MIB, cmdline: 'console=ttyS0' }),
}

export async function buildDebian(context: BuildContext, variant: DebianVariant): Promise<BuiltImage> {
  if (process.getuid?.() !== 0) {
    throw new BuildError(
      'Building Debian 12 needs root, or subordinate ids for this user: run "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER" and start Hearth again.',
    )
  }
  const rootUuid = randomUUID()
  const espId = randomBytes(4).toString('hex').toUpperCase()
  const tree = path.join(context.work, 'tree')
  const out = path.join(context.work, 'out')
  await mkdir(out)
  await makeTree(context, { tree, out, ids: { rootUuid, espId }, variant })
  await finishTree(tree)
  context.progress(TREE_PERCENT, 'Writing the root file system')
  const disk = path.join(context.folder, 'disk.raw')
  await makeDisk(context, { disk, tree, out, ids: { rootUuid, espId }, diskBytes: variant.diskBytes })
  context.progress(98, 'Finishing')
  for (const file of ['vmlinuz', 'initrd.img']) {
    await rename(path.join(out, file), path.join(context.folder, file))
    await chmod(path.join(context.folder, file), 0o644)
  }
  await rm(tree, { recursive: true })
  return {
    disk: { file: 'disk.raw', bytes: variant.diskBytes },
    kernel: 'vmlinuz',
    initrd: 'initrd.img',
    cmdline: `root=UUID=${rootUuid} ro ${variant.cmdline}`,
  }
}

interface Ids {
  readonly rootUuid: string
  /** The FAT volume's serial number, eight digits. */
  readonly espId: string
}

async function makeTree(
  context: BuildContext,
  { tree, out, ids, variant }: { tree: string; out: string; ids: Ids; variant: DebianVariant },
): Promise<void> {
  context.progress(1, "Reading Debian's package lists")
  const mirror = await debianMirror()
  const files = path.join(import.meta.dirname, 'files')
  const reader = new TreeProgressReader()
  await tool(
    context,
    'unshare',
    [
      // A process namespace: the root of a user namespace may mount /proc for the tree only there.
      ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--', 'mmdebstrap'],
      ...['--mode=root', '--variant=minbase', '--verbose', `--include=${variant.packages.join(',')}`],
      // The base system's documentation and translations stay out of every VM's disk, copyright files excepted.
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-include=/usr/share/doc/*/copyright',
      ...(variant.excluded ?? []).map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
      '--aptopt=Acquire::Languages "none"',
      // Before the kernel's package makes its initial RAM disk.
      `--essential-hook=mkdir -p "$1/etc/initramfs-tools" && cp -r --no-preserve=ownership "$FILES/etc/initramfs-tools/conf.d" "$1/etc/initramfs-tools/"`,
      `--essential-hook=mkdir -p "$1/usr/share/initramfs-tools" && cp -r --no-preserve=ownership "$FILES/usr/share/initramfs-tools/modules.d" "$1/usr/share/initramfs-tools/"`,
      `--customize-hook=${path.join(import.meta.dirname, 'customize.sh')}`,
      ...[SUITE, tree, ...aptSources(mirror, SUITE, { signedBy: true })],
    ],
    {
      env: {
        ...process.env,
        LC_ALL: 'C',
        FILES: files,
        VARIANT_FILES: variant.files ?? '',
        VARIANT_CUSTOMIZE: variant.customize ?? '',
        OUT: out,
        ROOT_UUID: ids.rootUuid,
        // As blkid prints it.
        ESP_UUID: `${ids.espId.slice(0, 4)}-${ids.espId.slice(4)}`,
        APT_SOURCES: aptSources(mirror, SUITE, { signedBy: false }).join('\n'),
      },
      onLine(line) {
        const now = reader.read(line)
        if (now) context.progress(1 + Math.floor(now.fraction * (TREE_PERCENT - 1)), now.step)
      },
    },
  )
}

/** What mmdebstrap itself puts in place or takes away at its end. */
async function finishTree(tree: string): Promise<void> {
  const resolv = path.join(tree, 'etc/resolv.conf')
  await rm(resolv, { force: true })
  await symlink('../run/systemd/resolve/stub-resolv.conf', resolv)
  await writeFile(path.join(tree, 'etc/hostname'), 'debian\n')
  // How we built the tree is not how its owner wants to install: their packages come with their documentation.
  for (const file of ['etc/dpkg/dpkg.cfg.d/99mmdebstrap', 'etc/apt/apt.conf.d/99mmdebstrap']) {
    await rm(path.join(tree, file), { force: true })
  }
  // Empty, not absent: systemd then makes one at the first boot, and takes that boot for the first.
  await writeFile(path.join(tree, 'etc/machine-id'), '')
}

interface DiskParts {
  readonly disk: string
  readonly tree: string
  readonly out: string
  readonly ids: Ids
  readonly diskBytes: number
}

async function makeDisk(
  context: BuildContext,
  { disk, tree, out, ids, diskBytes }: DiskParts,
): Promise<void> {
  const handle = await open(disk, 'wx', 0o644)
  await handle.truncate(diskBytes)
  await handle.close()
  const layout = layoutOf(diskBytes)
  const rootBytes = layout.root.sectors * SECTOR
  await tool(context, 'mke2fs', [
    ...['-q', '-F', '-t', 'ext4', '-L', 'root', '-U', ids.rootUuid, '-d', tree],
    // What mke2fs chooses for larger file systems: this one becomes one.
    ...['-b', '4096', '-i', '16384', '-J', 'size=64'],
    // The file is sparse: its blocks are zero, and no guest needs to write that in the background.
    ...['-E', `offset=${layout.root.firstSector * SECTOR},assume_storage_prezeroed=1`, '-m', '1'],
    ...[disk, `${rootBytes / 1024}k`],
  ])
  context.progress(95, 'Writing the boot loader')
  const esp = `${disk}@@${layout.efiSystem.firstSector * SECTOR}`
  await tool(context, 'mformat', [
    '-i',
    esp,
    '-T',
    String(layout.efiSystem.sectors),
    '-N',
    ids.espId,
    '-v',
    'EFI',
    '::',
  ])
  await tool(context, 'mmd', ['-i', esp, '::/EFI', '::/EFI/BOOT'])
  await tool(context, 'mcopy', ['-i', esp, path.join(out, 'BOOTX64.EFI'), '::/EFI/BOOT/BOOTX64.EFI'])
  await writeBootSectors(disk, out, diskBytes)
}

async function writeBootSectors(disk: string, out: string, diskBytes: number): Promise<void> {
  const [bootImg, coreImg] = await Promise.all([
    readFile(path.join(out, 'boot.img')),
    readFile(path.join(out, 'core.img')),
  ])
  const { biosBoot, efiSystem, root } = layoutOf(diskBytes)
  const partitions: Partition[] = [
    { ...root, type: partitionType.linuxRootX8664, uuid: randomUUID(), name: 'root' },
    { ...biosBoot, type: partitionType.biosBoot, uuid: randomUUID(), name: 'bios' },
    { ...efiSystem, type: partitionType.efiSystem, uuid: randomUUID(), name: 'efi' },
  ]
  const table = partitionTable(
    sectors(diskBytes),
    randomUUID(),
    partitions,
    bootCode(bootImg, biosBoot.firstSector),
  )
  const core = embeddedCore(coreImg, biosBoot.firstSector, biosBoot.sectors)
  const handle = await open(disk, 'r+')
  try {
    await handle.write(table.primary, 0, table.primary.length, 0)
    await handle.write(core, 0, core.length, biosBoot.firstSector * SECTOR)
    await handle.write(table.backup, 0, table.backup.length, diskBytes - table.backup.length)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
