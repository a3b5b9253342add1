/** The tests of the portal's pages alone, before portals of their own with a stand-in agent: no guest, so no lab. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { inRepository } from '../lib/paths.ts'
import { Trouble } from '../lib/steps.ts'
import type { Tally } from './node-tests.ts'

interface PlaywrightReport {
  stats: { expected: number; unexpected: number; flaky: number; skipped: number }
}

export async function runPageTests(): Promise<Tally> {
  process.stdout.write('\n— pages: real portals with a stand-in agent\n')
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-pages-'))
  const reportFile = path.join(folder, 'playwright.json')
  try {
    await new Promise<void>((resolve, reject) => {
      const cli = inRepository('node_modules/@playwright/test/cli.js')
      const child = spawn(process.execPath, [cli, 'test', '--config', inRepository('e2e/portal.config.ts')], {
        cwd: inRepository('e2e'),
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: reportFile },
      })
      child.on('error', reject)
      child.on('exit', () => resolve())
    })
    const report = await readFile(reportFile, 'utf8').catch(() => undefined)
    if (!report) throw new Trouble('Playwright ended without a report; its own words are above.')
    const { stats } = JSON.parse(report) as PlaywrightReport
    return { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
