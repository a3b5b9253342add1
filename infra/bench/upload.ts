/**
 * `npm run bench -- upload`: the test of uploads (e2e/portal-tests/catalogue.spec.ts) with a file of many GB: a real browser,
 * portal, agent and builder, and a connection that breaks after a third.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildPages, generateDatabaseClient } from '../build/portal.ts'
import { inRepository } from '../lib/paths.ts'
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'

const usage = `Usage: npm run bench -- upload [--mib N]
Uploads a file through the page over a connection that breaks, and says how long it took and how much memory the portal
and the agent took for it.

  --mib N    how long the file is, in MiB (default 2048); three times as much has to be free on the disk
`

export async function benchUpload(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { mib: { type: 'string', default: '2048' }, help: { type: 'boolean' } },
  })
  const mib = Number(values.mib)
  if (values.help || !Number.isInteger(mib) || mib < 32) {
    process.stdout.write(usage)
    return
  }
  const tell = (line: string): void => void process.stderr.write(`${line}\n`)
  await generateDatabaseClient()
  await buildPages(tell)
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hearth-bench-upload-'))
  const report = path.join(folder, 'report.json')
  try {
    const result = await run(
      process.execPath,
      [
        ...[inRepository('node_modules/@playwright/test/cli.js'), 'test'],
        ...['--config', inRepository('e2e/portal.config.ts'), 'catalogue', '--grep', 'an upload of'],
      ],
      {
        cwd: inRepository('e2e'),
        env: { ...process.env, HEARTH_UPLOAD_MIB: String(mib), PLAYWRIGHT_JSON_OUTPUT_NAME: report },
        onLine: tell,
      },
    )
    const figures = /"type": "upload",\s*"description": "(.*)"/.exec(await readFile(report, 'utf8'))?.[1]
    if (!figures) throw new Trouble('The upload did not come to its end; why is above.')
    const { seconds, portalMib, agentMib } = JSON.parse(JSON.parse(`"${figures}"`) as string) as {
      seconds: number
      portalMib: number
      agentMib: number
    }
    process.stdout.write(
      `${mib} MiB uploaded, checked and made an image of in ${seconds} s; memory grew by ${portalMib} MiB in the portal, ${agentMib} MiB in the agent.\n`,
    )
    if (result.code !== 0) throw new Trouble('The test says that this is too much memory, or a wrong file.')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
