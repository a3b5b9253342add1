/** The QEMU a lab runs on. */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'
import { cachedFolder } from './cache.ts'
import { aptSource, aptSources, debianMirror } from './debian-mirror.ts'
import { mendQemu } from './qemu-mends.ts'

export interface Qemu {
  /** The program and the arguments that must come before all others. */
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly version: string
  /**
   * Before 10.2 QEMU set and cleared bits of a CPU's pending interrupts without a lock at each entry and exit of an
   * emulated SVM guest, so that an interrupt which came in that moment was lost (docs/lab.md).
   */
  readonly losesInterrupts: boolean
  /** Whether the faults that every version has are mended (qemu-mends.ts). Where not, a guest may crash, or UEFI end the lab. */
  readonly mended: boolean
}

/** The first version that loses none. */
const SOUND = [10, 2] as const
/** Where Debian has it, and a number to raise when the tree is to be made differently. */
const SUITE = 'trixie'
const BACKPORTS = `${SUITE}-backports`
const TREE = `qemu-${BACKPORTS}-2`
const PROGRAM = 'usr/bin/qemu-system-x86_64'
/** In the tree, when PROGRAM is mended. */
const MENDED = 'mended'

/**
 * A private tree, unpacked from Debian 13's backports into the cache, its program mended. Where that cannot be made, the
 * machine's own QEMU as it is; `onDetail` says what to expect then.
 */
export async function labQemu(cacheDir: string, onDetail: (detail: string) => void): Promise<Qemu> {
  let qemu: Qemu | undefined
  try {
    qemu = await privateQemu(cacheDir, onDetail)
  } catch (error) {
    qemu = await systemQemu()
    if (!qemu) throw error
    onDetail(`a private QEMU could not be made ready (${(error as Error).message.split('\n')[0]})`)
  }
  if (!qemu.mended)
    onDetail(
      `QEMU ${qemu.version} delivers interrupts twice now and then: a guest may crash or hang (docs/lab.md)`,
    )
  return qemu
}

async function systemQemu(): Promise<Qemu | undefined> {
  const version = await qemuVersion(['qemu-system-x86_64'], {})
  if (!version) return undefined
  return {
    command: ['qemu-system-x86_64'],
    env: {},
    version,
    losesInterrupts: losesInterrupts(version),
    mended: false,
  }
}

async function privateQemu(cacheDir: string, onDetail: (detail: string) => void): Promise<Qemu> {
  const tree = await cachedFolder(cacheDir, TREE, (making) => makeTree(making, onDetail))
  const libraries = path.join(tree, 'usr/lib/x86_64-linux-gnu')
  // With the tree's own loader and libraries, but without chroot: the lab's 9p share is the machine's real root.
  const command: Qemu['command'] = [
    path.join(libraries, 'ld-linux-x86-64.so.2'),
    '--library-path',
    libraries,
    path.join(tree, PROGRAM),
    ...['-L', path.join(tree, 'usr/share/qemu'), '-L', path.join(tree, 'usr/share/seabios')],
  ]
  const env = { QEMU_MODULE_DIR: path.join(libraries, 'qemu') }
  const version = await qemuVersion(command, env)
  if (!version)
    throw new Trouble(`The private QEMU in ${tree} does not start. Delete that folder and try again.`)
  const mended = await stat(path.join(tree, MENDED)).then(
    () => true,
    () => false,
  )
  return { command, env, version, losesInterrupts: losesInterrupts(version), mended }
}

async function makeTree(into: string, onDetail: (detail: string) => void): Promise<void> {
  onDetail('downloading and unpacking QEMU from Debian 13’s backports (some 250 MB, once)')
  const mirror = await debianMirror()
  const result = await run('mmdebstrap', [
    // Nothing is ever run inside the tree, so it takes no root; where we are root, mmdebstrap wants to be told.
    `--mode=${process.getuid?.() === 0 ? 'root' : 'chrootless'}`,
    // Only unpacked, never configured: nothing of the tree but QEMU is ever run.
    ...['--variant=extract', '--include=qemu-system-x86,seabios', '--architectures=amd64'],
    `--aptopt=APT::Default-Release "${BACKPORTS}"`,
    ...[SUITE, into, ...aptSources(mirror, SUITE, { signedBy: true })],
    aptSource(mirror, BACKPORTS),
  ]).catch((error: Error) => {
    throw new Trouble(`mmdebstrap did not start (${error.message}): install the Debian package mmdebstrap.`)
  })
  if (result.code !== 0) {
    throw new Trouble(
      `QEMU could not be unpacked from Debian 13’s backports:\n${result.tail}\nCheck the network and the free disk space (300 MB in the cache folder).`,
    )
  }
  for (const useless of ['usr/share/doc', 'usr/share/locale', 'usr/share/man', 'var', 'usr/share/icons']) {
    await rm(path.join(into, useless), { recursive: true, force: true })
  }
  await mend(into)
}

/** A newer build may be other code, or without the faults: it is used as it is, and said to be so at every start. */
async function mend(tree: string): Promise<void> {
  const file = path.join(tree, PROGRAM)
  const program = await readFile(file)
  try {
    mendQemu(program)
  } catch {
    return
  }
  await writeFile(`${file}.mended`, program, { mode: 0o755 })
  await rename(`${file}.mended`, file)
  await writeFile(path.join(tree, MENDED), '')
}

export function losesInterrupts(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < SOUND[0] || (major === SOUND[0] && minor < SOUND[1])
}

async function qemuVersion(
  command: readonly string[],
  env: Record<string, string>,
): Promise<string | undefined> {
  const [program = '', ...args] = command
  const result = await run(program, [...args, '--version'], { env: { ...process.env, ...env } }).catch(
    () => undefined,
  )
  return result && /version (\d+\.\d+(?:\.\d+)?)/.exec(result.stdout)?.[1]
}
