/** Runs Playwright's tests, printed as they come, counted for the last line. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { inRepository } from '../lib/paths.ts'
import { Trouble } from '../lib/steps.ts'
import type { Tally } from './tally.ts'

interface Suite {
  readonly suites?: readonly Suite[]
  readonly specs: readonly {
    readonly title: string
    readonly tests: readonly { readonly status: string }[]
  }[]
}

interface Report extends Suite {
  readonly stats: { expected: number; unexpected: number; flaky: number; skipped: number }
}

/** `config` is a file of the folder e2e. The tests see `env` beside this process's own. */
export async function runPlaywright(config: string, env: NodeJS.ProcessEnv = {}): Promise<Tally> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-playwright-'))
  const reportFile = path.join(folder, 'report.json')
  try {
    await new Promise<void>((resolve, reject) => {
      const cli = inRepository('node_modules/@playwright/test/cli.js')
      const child = spawn(process.execPath, [cli, 'test', '--config', inRepository('e2e', config)], {
        cwd: inRepository('e2e'),
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, ...env, PLAYWRIGHT_JSON_OUTPUT_NAME: reportFile },
      })
      child.on('error', reject)
      child.on('exit', () => resolve())
    })
    const text = await readFile(reportFile, 'utf8').catch(() => undefined)
    if (!text) throw new Trouble('Playwright ended without a report; its own words are above.')
    const report = JSON.parse(text) as Report
    const { expected, unexpected, flaky, skipped } = report.stats
    return { passed: expected + flaky, failed: unexpected, skipped, unsteady: flakyTests(report) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Those that passed at a second try (`retries` of the configuration). */
const flakyTests = ({ suites = [], specs = [] }: Suite): string[] => [
  ...specs.filter(({ tests }) => tests.some(({ status }) => status === 'flaky')).map(({ title }) => title),
  ...suites.flatMap(flakyTests),
]
