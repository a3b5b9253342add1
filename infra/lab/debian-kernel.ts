/** Debian's own kernel, unpacked into the cache: nothing is installed on the machine. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'
import { cachedFolder } from './cache.ts'
import { type PackageVersion, packageCandidate, packageDependency, unpackPackage } from './debian-package.ts'

export interface DebianKernel {
  /** As `uname -r` prints it. */
  readonly release: string
  /** The Debian package's version. */
  readonly packageVersion: string
  readonly vmlinuz: string
  /** `…/lib/modules/<release>`, with modules.dep made. */
  readonly modules: string
}

/** `flavour` is the end of the package's name: `amd64`, or `cloud-amd64` (smaller, but without 9p). */
export type KernelFlavour = 'amd64' | 'cloud-amd64'

const recordSchema = z.object({ name: z.string(), version: z.string(), listsChanged: z.number() })

const APT_LISTS = '/var/lib/apt/lists'

/** What of the modules is worth keeping: nothing here runs on real hardware. */
const USELESS_MODULES = [
  ...['sound', 'drivers/media', 'drivers/net/ethernet', 'drivers/net/wireless', 'drivers/usb'],
  ...[
    'drivers/infiniband',
    'drivers/scsi',
    'drivers/staging',
    'drivers/iio',
    'drivers/hwmon',
    'drivers/isdn',
  ],
  ...['drivers/mtd', 'drivers/thunderbolt', 'drivers/bluetooth', 'drivers/firewire', 'drivers/hid'],
  // Of graphics what virtio's GPU needs stays, for guests with a screen.
  ...['amd', 'radeon', 'nouveau', 'i915', 'gma500'].map((driver) => `drivers/gpu/drm/${driver}`),
]
/** A folder of the cache that was made with another choice of modules is none of ours. */
const CHOICE = 2

export async function debianKernel(
  cacheDir: string,
  flavour: KernelFlavour,
  onDetail: (detail: string) => void = () => {},
): Promise<DebianKernel> {
  const record = path.join(cacheDir, `kernel-${flavour}.json`)
  const known = await readRecord(record)
  const listsChanged = (await stat(APT_LISTS).catch(() => undefined))?.mtimeMs ?? 0
  // Asking apt takes a second; it has nothing new to say as long as its lists are the same.
  if (known && known.listsChanged === listsChanged) return cachedKernel(cacheDir, known)
  try {
    const wanted = { ...(await kernelPackage(flavour)), listsChanged }
    await cachedFolder(cacheDir, folderName(wanted), (making) => unpack(wanted, making, onDetail))
    await writeFile(record, JSON.stringify(wanted))
    return await cachedKernel(cacheDir, wanted)
  } catch (error) {
    if (!known) throw error
    onDetail(`going on with ${known.version}: ${(error as Error).message.split('\n')[0]}`)
    return cachedKernel(cacheDir, known)
  }
}

async function cachedKernel(cacheDir: string, found: PackageVersion): Promise<DebianKernel> {
  const folder = path.join(cacheDir, folderName(found))
  const [release] = await readdir(path.join(folder, 'modules'))
  if (!release) throw new Error(`${folder} has no modules`)
  return {
    release,
    packageVersion: found.version,
    vmlinuz: path.join(folder, 'vmlinuz'),
    modules: path.join(folder, 'modules', release),
  }
}

/** What was unpacked last, if it is still there. */
async function readRecord(file: string): Promise<(PackageVersion & { listsChanged: number }) | undefined> {
  try {
    const found = recordSchema.parse(JSON.parse(await readFile(file, 'utf8')))
    await stat(path.join(path.dirname(file), folderName(found)))
    return found
  } catch {
    return undefined
  }
}

/** The package that `linux-image-<flavour>` stands for today, and its candidate version. */
async function kernelPackage(flavour: KernelFlavour): Promise<PackageVersion> {
  const meta = `linux-image-${flavour}`
  const name = await packageDependency(meta, 'linux-image-')
  if (!name) {
    throw new Trouble(
      `apt knows no package ${meta}. Run "apt-get update" and try again; if it stays so, /etc/apt/sources.list names no Debian mirror.`,
    )
  }
  const found = await packageCandidate(name)
  if (!found) throw new Trouble(`apt has no version of ${name} to download.`)
  return found
}

async function unpack(
  wanted: PackageVersion,
  into: string,
  onDetail: (detail: string) => void,
): Promise<void> {
  const tree = await unpackPackage(wanted, into, onDetail)
  // Where /usr is merged the package may bring either path.
  const modules = path.join(
    tree,
    existsSync(path.join(tree, 'lib/modules')) ? 'lib/modules' : 'usr/lib/modules',
  )
  const [release] = await readdir(modules)
  if (!release) throw new Error(`${wanted.name} has no modules`)
  const kept = path.join(modules, release)
  for (const useless of USELESS_MODULES)
    await rm(path.join(kept, 'kernel', useless), { recursive: true, force: true })
  // depmod wants the layout of a root file system.
  await mkdir(path.join(into, 'lib/modules'), { recursive: true })
  await rename(kept, path.join(into, 'lib/modules', release))
  const depmod = await run('depmod', ['-b', into, release])
  if (depmod.code !== 0) throw new Trouble(`depmod failed for ${release}:\n${depmod.tail}`)
  await rename(path.join(into, 'lib/modules'), path.join(into, 'modules'))
  await rm(path.join(into, 'lib'), { recursive: true })
  await rename(path.join(tree, 'boot', `vmlinuz-${release}`), path.join(into, 'vmlinuz'))
  await rm(path.dirname(tree), { recursive: true })
}

const folderName = (found: PackageVersion): string =>
  `kernel${CHOICE}-${found.name}_${found.version.replace(/[^\w.+-]/g, '_')}`
