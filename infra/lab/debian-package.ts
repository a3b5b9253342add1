/** A package of Debian's, downloaded and unpacked: nothing is installed on the machine. */
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'
import { cachedFolder } from './cache.ts'

export interface PackageVersion {
  readonly name: string
  readonly version: string
}

const env = { ...process.env, LC_ALL: 'C' }

/** The version apt would install; undefined when it knows no such package. */
export async function packageCandidate(name: string): Promise<PackageVersion | undefined> {
  const policy = await run('apt-cache', ['policy', name], { env })
  const version = /Candidate: (\S+)/.exec(policy.stdout)?.[1]
  return version === undefined || version === '(none)' ? undefined : { name, version }
}

/** The first package that `name` depends on whose own name begins with `start`. */
export async function packageDependency(name: string, start: string): Promise<string | undefined> {
  const depends = await run('apt-cache', ['depends', '--important', name], { env })
  return new RegExp(`Depends: (${start}\\S+)`).exec(depends.stdout)?.[1]
}

/** Unpacks the package; returns the folder `tree` with its files, in a new folder of `into`. Throws Trouble. */
export async function unpackPackage(
  { name, version }: PackageVersion,
  into: string,
  onDetail: (detail: string) => void,
): Promise<string> {
  const work = await mkdtemp(path.join(into, 'deb-'))
  onDetail(`downloading ${name} ${version}`)
  // apt's own user may not be allowed to write into the cache folder: download as ourselves.
  const download = await run('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', `${name}=${version}`], {
    cwd: work,
  })
  const deb = (await readdir(work)).find((file) => file.endsWith('.deb'))
  if (download.code !== 0 || !deb) {
    throw new Trouble(
      `apt-get could not download ${name} ${version}:\n${download.tail}\nCheck the network; if the version is gone from the mirror, run "apt-get update".`,
    )
  }
  onDetail(`unpacking ${name}`)
  const extract = await run('dpkg-deb', ['--extract', deb, 'tree'], { cwd: work })
  if (extract.code !== 0) throw new Trouble(`${name} could not be unpacked (disk full?):\n${extract.tail}`)
  return path.join(work, 'tree')
}

/** The package's files in the cache; undefined when apt knows no such package. */
export async function debianPackage(cacheDir: string, name: string): Promise<string | undefined> {
  const wanted = await packageCandidate(name)
  if (wanted === undefined) return undefined
  return cachedFolder(
    cacheDir,
    `package-${name}-${wanted.version.replaceAll(/[^\w.+~-]/g, '_')}`,
    async (making) => {
      const tree = await unpackPackage(wanted, making, () => {})
      for (const entry of await readdir(tree)) await rename(path.join(tree, entry), path.join(making, entry))
      await rm(path.dirname(tree), { recursive: true })
    },
  )
}
