/** `npm run uninstall-service`: takes the services away, and nothing that holds somebody's data. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Trouble } from '../lib/steps.ts'
import { readSettings, settingsFile } from './options.ts'
import { systemctl, unitFile } from './systemd.ts'
import { serviceUser, unitNames } from './units.ts'

try {
  const installed = unitNames.filter((name) => existsSync(unitFile(name)))
  if (installed.length === 0) throw new Trouble('Hearth is not installed as a service here.')
  if (process.getuid?.() !== 0) throw new Trouble('This needs root: sudo npm run uninstall-service')
  const { state } = await readSettings()
  process.stdout.write('Shutting VMs down and stopping Hearth; this may take a minute and a half.\n')
  await systemctl('disable', '--now', '--quiet', ...installed)
  for (const name of installed) await rm(unitFile(name))
  await rm(settingsFile, { force: true })
  await systemctl('daemon-reload')
  process.stdout.write(
    `The services are gone. What they kept is still in ${state ?? 'the state folder'}, with VMs and their disks; npm start --state finds it there. The user ${serviceUser} is still there as well (userdel ${serviceUser}).\n`,
  )
} catch (error) {
  process.stderr.write(`\nhearth: ${(error as Error).message}\n`)
  process.exitCode = 1
}
