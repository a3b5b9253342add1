/** Which kernel modules come with which: reads what depmod(8) wrote. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { CpioEntry } from './cpio.ts'
import type { DebianKernel } from './debian-kernel.ts'

export interface ModuleIndex {
  /** Path below the modules folder → paths it needs, each before what needs it. */
  readonly dependencies: ReadonlyMap<string, readonly string[]>
  /** Names of what the kernel has built in. */
  readonly builtin: ReadonlySet<string>
}

export async function readModuleIndex(modulesFolder: string): Promise<ModuleIndex> {
  const [dep, builtin] = await Promise.all([
    readFile(path.join(modulesFolder, 'modules.dep'), 'utf8'),
    readFile(path.join(modulesFolder, 'modules.builtin'), 'utf8'),
  ])
  return parseModuleIndex(dep, builtin)
}

export function parseModuleIndex(dep: string, builtin: string): ModuleIndex {
  const dependencies = new Map<string, string[]>()
  for (const line of dep.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const needed = line.slice(colon + 1).trim()
    // depmod lists the nearest first; what is needed most deeply has to be loaded first.
    dependencies.set(line.slice(0, colon), needed ? needed.split(' ').reverse() : [])
  }
  return { dependencies, builtin: new Set(builtin.split('\n').filter(Boolean).map(moduleName)) }
}

/** The files of the named modules and of all they need, in loading order. Throws for a name the kernel does not have. */
export function moduleFiles(index: ModuleIndex, names: readonly string[]): string[] {
  const byName = new Map([...index.dependencies.keys()].map((file) => [moduleName(file), file]))
  const files = new Set<string>()
  for (const name of names) {
    const file = byName.get(moduleName(name))
    if (!file) {
      if (index.builtin.has(moduleName(name))) continue
      throw new Error(`the kernel has no module ${name}`)
    }
    for (const needed of index.dependencies.get(file) ?? []) files.add(needed)
    files.add(file)
  }
  return [...files]
}

/**
 * The named modules and all they need as part of an initial RAM disk, in one flat folder with a modules.dep for
 * busybox's modprobe. `lib/modules` has to be in the archive already.
 */
export async function moduleEntries(kernel: DebianKernel, names: readonly string[]): Promise<CpioEntry[]> {
  const index = await readModuleIndex(kernel.modules)
  const files = moduleFiles(index, names)
  const base = `lib/modules/${kernel.release}`
  const entries = files.map(
    async (file): Promise<CpioEntry> => ({
      path: `${base}/${path.basename(file)}`,
      type: 'file',
      data: await readFile(path.join(kernel.modules, file)),
    }),
  )
  const dep = Buffer.from(flatDependencies(files, index.dependencies))
  return [
    { path: base, type: 'directory' },
    ...(await Promise.all(entries)),
    { path: `${base}/modules.dep`, type: 'file', data: dep },
  ]
}

/** modules.dep again, nearest need first, for files that all lie in one folder. */
export function flatDependencies(
  files: readonly string[],
  dependencies: ReadonlyMap<string, readonly string[]>,
): string {
  const line = (file: string): string => {
    const needed = (dependencies.get(file) ?? []).toReversed().map((other) => ` ${path.basename(other)}`)
    return `${path.basename(file)}:${needed.join('')}\n`
  }
  return files.map(line).join('')
}

/** `kernel/fs/9p/9p.ko.xz` → `9p`; hyphens and underscores are the same to the kernel. */
function moduleName(file: string): string {
  return path
    .basename(file)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_')
}
