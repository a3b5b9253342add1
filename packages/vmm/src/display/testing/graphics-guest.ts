/**
 * Debian's generic kernel with what a screen needs: the cloud kernel has no graphics, and the lab's own copy of the
 * generic one leaves them out. Unpacked into the cache; nothing is installed.
 */
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { cachedFolder } from '../../../../../infra/lab/cache.ts'
import { type CpioEntry, cpioArchive } from '../../../../../infra/lab/cpio.ts'
import { debianKernel } from '../../../../../infra/lab/debian-kernel.ts'
import { staticBusybox } from '../../../../../infra/lab/initrd.ts'
import { moduleFiles, readModuleIndex } from '../../../../../infra/lab/kernel-modules.ts'
import { run } from '../../../../../infra/lib/run.ts'

const MODULES = ['virtio_pci', 'virtio-gpu', 'virtio_input', 'evdev', 'virtio-rng']

export interface GraphicsKernel {
  readonly vmlinuz: string
  /** Holds the modules, and `order` with their names in the order to load them. */
  readonly modules: string
}

export async function graphicsKernel(cacheDir: string): Promise<GraphicsKernel> {
  const { release, packageVersion } = await debianKernel(cacheDir, 'amd64')
  const name = `linux-image-${release}`
  const safe = packageVersion.replace(/[^\w.+-]/g, '_')
  const folder = await cachedFolder(cacheDir, `graphics-kernel-${name}_${safe}`, async (making) => {
    await succeed(
      'apt-get',
      ['-o', 'APT::Sandbox::User=root', 'download', `${name}=${packageVersion}`],
      making,
    )
    const deb = (await readdir(making)).find((file) => file.endsWith('.deb'))
    await succeed('dpkg-deb', ['--extract', deb!, 'tree'], making)
    const tree = path.join(making, 'tree')
    await succeed('depmod', ['-b', tree, release], making)
    const all = path.join(tree, 'lib/modules', release)
    const files = moduleFiles(await readModuleIndex(all), MODULES)
    await mkdir(path.join(making, 'modules'))
    for (const file of files) {
      await copyFile(path.join(all, file), path.join(making, 'modules', path.basename(file)))
    }
    const order = files.map((file) => path.basename(file)).join('\n')
    await writeFile(path.join(making, 'modules/order'), order)
    await rename(path.join(tree, 'boot', `vmlinuz-${release}`), path.join(making, 'vmlinuz'))
    await rm(tree, { recursive: true })
    await rm(path.join(making, deb!))
  })
  return { vmlinuz: path.join(folder, 'vmlinuz'), modules: path.join(folder, 'modules') }
}

async function succeed(command: string, args: string[], cwd: string): Promise<void> {
  const result = await run(command, args, { cwd })
  if (result.code !== 0) throw new Error(`${command} ${args.join(' ')}:\n${result.tail}`)
}

/** An initrd with a shell on the screen (tty1) and one on the serial port, init being `graphics-init.sh`. */
export async function graphicsInitrd(modules: string): Promise<Buffer> {
  const entries: CpioEntry[] = ['bin', 'dev', 'proc', 'sys', 'tmp', 'modules'].map((folder) => ({
    path: folder,
    type: 'directory',
  }))
  entries.push({ path: 'dev/console', type: 'character-device', major: 5, minor: 1 })
  const init = await readFile(new URL('./graphics-init.sh', import.meta.url))
  entries.push({ path: 'init', type: 'file', data: init, mode: 0o755 })
  entries.push({ path: 'bin/busybox', type: 'file', data: await staticBusybox(), mode: 0o755 })
  for (const file of await readdir(modules)) {
    const data = await readFile(path.join(modules, file))
    entries.push({ path: `modules/${file}`, type: 'file', data })
  }
  return cpioArchive(entries)
}
