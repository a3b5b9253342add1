/** Small programs in C that the benchmark needs, and the Debian packages that compile them. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import type { DebianPackage } from '../lib/debian.ts'

/** What `npm run bench` needs beyond what the lab needs. */
export const benchPackages: readonly DebianPackage[] = [
  { name: 'gcc', why: 'compiles the C loop that port accesses are compared with' },
  { name: 'libc6-dev', why: 'what a C program is linked with' },
]

const run = promisify(execFile)

/** Compiles `programs/<name>.c` into `folder`, with nothing to be found at run time: it also runs in a bare initrd. */
export async function compile(name: 'kvm-loop' | 'disk-load', folder: string): Promise<string> {
  const program = path.join(folder, name)
  const source = path.join(import.meta.dirname, 'programs', `${name}.c`)
  await run('gcc', ['-O2', '-Wall', '-Werror', '-static', '-s', '-o', program, source])
  return program
}
