import path from 'node:path'
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'
import type { UnitName } from './units.ts'

/** Where an administrator's own units are (systemd.unit(5)). */
export const unitFolder = '/etc/systemd/system'
export const unitFile = (name: UnitName): string => path.join(unitFolder, name)

export async function systemctl(...args: string[]): Promise<void> {
  const result = await run('systemctl', args)
  if (result.code !== 0) throw new Trouble(`systemctl ${args.join(' ')} failed:\n${result.tail}`)
}
