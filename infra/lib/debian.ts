/**
 * Debian packages: what is missing, and installing it after saying which and why. Each part of Hearth lists
 * its own packages with the reason (`debianPackages` beside the code that needs them).
 */
import { existsSync, statSync } from 'node:fs'
import { run } from './run.ts'
import { type Steps, Trouble } from './steps.ts'

export interface DebianPackage {
  readonly name: string
  readonly why: string
}

async function missingPackages(wanted: readonly DebianPackage[]): Promise<DebianPackage[]> {
  const unique = [...new Map(wanted.map((p) => [p.name, p])).values()]
  if (unique.length === 0) return []
  const query = await run('dpkg-query', [
    '-W',
    '-f=${Package} ${db:Status-Abbrev}\n',
    ...unique.map((p) => p.name),
  ]).catch(() => {
    throw new Trouble(
      'This is not a Debian system (no dpkg-query): Hearth installs itself on Debian 12 or newer.',
    )
  })
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => / ii/.test(line))
      .map((line) => line.split(' ')[0]),
  )
  return unique.filter((p) => !installed.has(p.name))
}

/** Installs what is missing of `wanted`, saying first what and why. With `install` false it only says what to do. */
export async function ensurePackages(
  steps: Steps,
  wanted: readonly DebianPackage[],
  options: { install: boolean },
): Promise<void> {
  const missing = await missingPackages(wanted)
  if (missing.length === 0) return
  const names = missing.map((p) => p.name)
  const asRoot = process.getuid?.() === 0
  if (!options.install) {
    throw new Trouble(
      `These Debian packages are missing and --no-install was given:\n${list(missing)}\nInstall them with: ${asRoot ? '' : 'sudo '}apt-get install --no-install-recommends ${names.join(' ')}`,
    )
  }
  steps.note(`Debian packages that are missing and will be installed:\n${list(missing)}`)
  if (!asRoot) await becomeRoot(names)
  await steps.run('Debian packages', async (step) => {
    const apt = async (...args: string[]) =>
      run(
        ...elevated(asRoot, [
          'env',
          'DEBIAN_FRONTEND=noninteractive',
          'apt-get',
          '-o',
          'DPkg::Lock::Timeout=300',
          ...args,
        ]),
        {
          stdio: [asRoot ? 'ignore' : 'inherit', 'pipe', 'pipe'],
          onLine: (line) => step.detail(line),
        },
      )
    if (!listsAreFresh()) await apt('update')
    let result = await apt('install', '-y', '--no-install-recommends', ...names)
    if (result.code !== 0) {
      // The package lists may have been older than the mirror: once more with new ones.
      const update = await apt('update')
      result = update.code === 0 ? await apt('install', '-y', '--no-install-recommends', ...names) : update
    }
    if (result.code !== 0) {
      throw new Trouble(
        `apt-get could not install ${names.join(', ')}:\n${indent(result.tail)}\nMend that (network? disk space?) and start again.`,
      )
    }
    return names.join(', ')
  })
}

/** Lets sudo ask for its password now: a step that is under way rewrites the line where the question would stand. */
async function becomeRoot(names: readonly string[]): Promise<void> {
  const byHand = `apt-get install --no-install-recommends ${names.join(' ')}`
  if (!existsSync('/usr/bin/sudo')) {
    throw new Trouble(
      `Installing Debian packages needs root. Run as root, or install sudo, or run: ${byHand}`,
    )
  }
  const { code } = await run('sudo', ['--validate'], { stdio: 'inherit' })
  if (code !== 0) throw new Trouble(`sudo refused, so nothing was installed. As root, run: ${byHand}`)
}

function elevated(asRoot: boolean, command: string[]): [string, string[]] {
  return asRoot ? [command[0]!, command.slice(1)] : ['sudo', command]
}

function listsAreFresh(): boolean {
  try {
    return Date.now() - statSync('/var/lib/apt/lists/partial').mtimeMs < 24 * 3600_000
  } catch {
    return false
  }
}

const list = (packages: readonly DebianPackage[]): string =>
  packages.map((p) => `    ${p.name.padEnd(26)} ${p.why}`).join('\n')
const indent = (text: string): string => text.replace(/^/gm, '    ')
