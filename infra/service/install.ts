/** `npm run install-service`: Hearth as services of systemd. Run again it updates what is there; VMs go on running. */
import { existsSync } from 'node:fs'
import { chown, mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { chosenDatabase, keepDatabase } from '../../apps/web/server/db/database-url.ts'
import { migrate } from '../../apps/web/server/db/migrate.ts'
import { buildPages, generateDatabaseClient } from '../build/portal.ts'
import { buildPrograms } from '../build/programs.ts'
import { ensurePackages } from '../lib/debian.ts'
import { inRepository, repository } from '../lib/paths.ts'
import { run } from '../lib/run.ts'
import { Steps, Trouble } from '../lib/steps.ts'
import { probeKvm } from '../probe/probe.ts'
import { agentPackages, hostPackages } from '../start/host.ts'
import { isLoopback } from '../start/options.ts'
import { checkPort } from '../start/ports.ts'
import { openState, type State, secretFile } from '../start/state.ts'
import { help, parseServiceOptions, readSettings, type ServiceSettings, settingsFile } from './options.ts'
import { systemctl, unitFile, unitFolder } from './systemd.ts'
import { agentPort, serviceUser, type UnitName, unitNames, units } from './units.ts'

const steps = new Steps()

async function main(): Promise<void> {
  const options = parseServiceOptions(process.argv.slice(2), await readSettings())
  if (!options) return void process.stdout.write(help)
  const { settings } = options
  requirePlace()
  const update = existsSync(unitFile('hearth-portal.service'))
  if (!update) await checkPort(settings.listen, settings.port)
  const probe = await steps.run('Virtualisation', probeKvm, (result) =>
    result.usable ? '/dev/kvm runs ordinary guests' : result.reason,
  )
  if (!probe.usable) throw new Trouble(`As a service Hearth runs on KVM only: ${probe.reason}. ${probe.hint}`)
  await ensurePackages(steps, [...agentPackages, ...hostPackages({ kind: 'kvm' })], options)
  await steps.run('Programs', async () => ((await buildPrograms()) > 0 ? 'bundled' : 'unchanged'))
  await steps.run('Database client', async () =>
    (await generateDatabaseClient()) ? 'generated' : 'unchanged',
  )
  await steps.run('Portal pages', async (step) =>
    (await buildPages((line) => step.detail(line))) ? 'built' : 'unchanged',
  )
  const state = await openState(settings.state)
  await steps.run('User and state folder', () => prepareState(state))
  await steps.run('Units', () => writeUnits(settings))
  await steps.run('Start', () => start(settings))
  await announce(settings, update)
}

/** Where a service can run at all: systemd, root, and programs that the portal's user may read and nobody else change. */
function requirePlace(): void {
  if (process.getuid?.() !== 0)
    throw new Trouble('Installing services needs root: sudo npm run install-service')
  if (!existsSync('/run/systemd/system'))
    throw new Trouble('This machine was not started by systemd: use npm start here.')
  if (/^\/(home|root|tmp|var\/tmp)(\/|$)/.test(repository))
    throw new Trouble(
      `Services do not see ${repository}: home folders and /tmp are hidden from them. Move Hearth's folder, for example to /opt/hearth, and run this there.`,
    )
  if (/[\s%$"'\\]/.test(repository))
    throw new Trouble(
      `Move Hearth's folder to a place without spaces, quotes and the signs % $ \\ in its path.`,
    )
}

/** The portal's folders belong to its user, the rest to root; also those that `npm start` made. */
async function prepareState(state: State): Promise<string> {
  if ((await run('id', ['-u', serviceUser])).code !== 0) {
    await must('useradd', [
      ...['--system', '--user-group', '--no-create-home', '--home-dir', state.directory],
      ...['--shell', '/usr/sbin/nologin', '--comment', 'Hearth portal', serviceUser],
    ])
  }
  for (const name of ['agent-token', 'builder-token']) await secretFile(state, name)
  const database = await chosenDatabase(state.directory, process.env.DATABASE_URL)
  await migrate(database)
  await keepDatabase(state.directory, database)
  const id = async (flag: string) => Number((await must('id', [flag, serviceUser])).stdout)
  const [uid, gid] = [await id('-u'), await id('-g')]
  for (const folder of [state.portal, state.secrets]) await chownTree(folder, uid, gid)
  // A person's own file beside them, which only the portal reads.
  await chown(path.join(state.directory, 'oidc.json'), uid, gid).catch(() => undefined)
  return state.directory
}

async function chownTree(folder: string, uid: number, gid: number): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true }))
    await chown(path.join(folder, entry), uid, gid)
  await chown(folder, uid, gid)
}

async function writeUnits(settings: ServiceSettings): Promise<string> {
  await mkdir(path.dirname(settingsFile), { recursive: true })
  await writeFile(settingsFile, `${JSON.stringify(settings, null, 2)}\n`)
  const texts = units(settings)
  for (const name of unitNames) await writeFile(unitFile(name), texts[name])
  await systemctl('daemon-reload')
  await systemctl('enable', '--quiet', ...unitNames)
  return unitFolder
}

/** Restarting these leaves VMs alone. hearth-guests is only started: stopping it would shut them down. */
async function start(settings: ServiceSettings): Promise<string> {
  const parts: UnitName[] = ['hearth-builder.service', 'hearth-agent.service', 'hearth-portal.service']
  await systemctl('restart', ...parts)
  await systemctl('start', 'hearth.target')
  await untilAnswering('hearth-agent.service', `http://127.0.0.1:${agentPort}/healthz`)
  const scheme = isLoopback(settings.listen) ? 'http' : 'https'
  await untilAnswering('hearth-portal.service', `${scheme}://localhost:${settings.port}/`)
  return 'agent and portal answer'
}

async function untilAnswering(unit: UnitName, url: string): Promise<void> {
  const deadline = Date.now() + 120_000
  for (;;) {
    // Our own certificate is not known here; that something answers is what is asked.
    const result = await run('curl', [
      '--silent',
      '--insecure',
      '--max-time',
      '5',
      '--output',
      '/dev/null',
      url,
    ])
    if (result.code === 0) return
    if (Date.now() > deadline) {
      const log = await run('journalctl', ['--unit', unit, '--lines', '15', '--no-pager', '--output', 'cat'])
      throw new Trouble(`${unit} does not answer at ${url}. Its last words:\n${log.stdout}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

async function announce({ listen, hostname, port, state }: ServiceSettings, update: boolean): Promise<void> {
  const url = isLoopback(listen) ? `http://localhost:${port}` : `https://${hostname}:${port}`
  const cli = await run(process.execPath, [
    inRepository('apps/web/server/cli.ts'),
    'setup-link',
    '--state',
    state,
  ])
  const link = z.string().safeParse(/\/setup#token=\S+/.exec(cli.stdout)?.[0])
  const first = link.success ? `  ·  set it up here (once): ${url}${link.data}` : ''
  process.stdout.write(`Hearth is ${update ? 'updated' : 'installed'} and runs: ${url}${first}\n`)
}

async function must(command: string, args: string[]) {
  const result = await run(command, args)
  if (result.code !== 0) throw new Trouble(`${command} failed:\n${result.tail}`)
  return result
}

main().catch((error: unknown) => {
  process.stderr.write(
    error instanceof Trouble ? `\nhearth: ${error.message}\n` : `\nhearth: ${(error as Error).stack}\n`,
  )
  process.exitCode = 1
})
