/**
 * The tests that need real virtualisation: monitor and agent, run inside lab hosts (infra/lab/shared.ts). A lab has one
 * emulated CPU, and that is what takes the time: so two processes share the files out, each with a lab of its own.
 */
import { spawn } from 'node:child_process'
import { glob, stat } from 'node:fs/promises'
import os from 'node:os'
import { GIB } from '@hearth/shared/units'
import { inRepository, repository } from '../lib/paths.ts'
import { type NodeTestRun, withSecondTry } from './node-tests.ts'
import { addTo, noTests, type Tally } from './tally.ts'

/** What a lab and the guests in it may take, at most (shared.ts), and its process. */
const LAB_BYTES = 9 * GIB

export async function runLabTests(): Promise<Tally> {
  const files: string[] = []
  for await (const file of glob('{packages,apps,infra}/**/*.lab.test.ts', {
    cwd: repository,
    exclude: (name) => name.includes('node_modules'),
  })) {
    files.push(inRepository(file))
  }
  const labs = Math.max(1, Math.min(2, os.availableParallelism(), Math.floor(os.totalmem() / LAB_BYTES)))
  process.stdout.write(`\n— lab tests: ${files.length} files on ${labs === 1 ? 'one lab' : `${labs} labs`}\n`)
  const runs = (await shareOut(files, labs)).map((share, index) => runShare(share, index > 0))
  const total = noTests()
  const failures: string[] = []
  const failedFiles: string[] = []
  for (const run of runs) {
    const { done, output } = await run
    process.stdout.write(output)
    addTo(total, done.tally)
    failures.push(...done.failures)
    failedFiles.push(...done.failedFiles)
  }
  return withSecondTry({ tally: total, failures, failedFiles }, async (failed) => {
    process.stdout.write('\n— those with failures once more, on one lab alone\n')
    return (await runShare(failed, false)).done
  })
}

/** The longest first, each to whoever has least: a file's length stands for the time it takes. */
async function shareOut(files: readonly string[], shares: number): Promise<string[][]> {
  const weighed = await Promise.all(files.map(async (file) => ({ file, weight: (await stat(file)).size })))
  weighed.sort((a, b) => b.weight - a.weight || a.file.localeCompare(b.file))
  const result = Array.from({ length: shares }, () => ({ files: [] as string[], weight: 0 }))
  for (const { file, weight } of weighed) {
    const least = result.reduce((a, b) => (b.weight < a.weight ? b : a))
    least.files.push(file)
    least.weight += weight
  }
  return result.map((share) => share.files.sort())
}

/** A process that ends without saying what came of its files has failed. `held`: its output is returned, because another one is being shown. */
function runShare(files: readonly string[], held: boolean): Promise<{ done: NodeTestRun; output: string }> {
  return new Promise((resolve, reject) => {
    let output = ''
    let done: NodeTestRun = {
      tally: { ...noTests(), failed: 1 },
      failures: [`a lab's ${files.length} files`],
      failedFiles: files,
    }
    const child = spawn(process.execPath, [inRepository('infra/test/lab-share.ts'), ...files], {
      cwd: repository,
      stdio: ['ignore', held ? 'pipe' : 'inherit', held ? 'pipe' : 'inherit', 'ipc'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8')
      stream?.on('data', (text: string) => {
        output += text
      })
    }
    child.on('message', (message) => {
      done = message as NodeTestRun
    })
    child.on('error', reject)
    child.on('close', () => resolve({ done, output }))
  })
}
