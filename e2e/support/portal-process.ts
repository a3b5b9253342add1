import { readdir, readFile } from 'node:fs/promises'
import { expect } from '@playwright/test'

/** Kills the portal's process; what runs Hearth starts it again. Resolves when the new one answers. */
export async function restartPortal(): Promise<void> {
  const before = await portalPid()
  process.kill(before, 'SIGKILL')
  await expect(async () => {
    expect(await portalPid()).not.toBe(before)
    expect((await fetch(new URL('/sign-in', process.env.HEARTH_URL))).status).toBe(200)
  }).toPass({ timeout: 120_000 })
}

/** The one portal process whose command line names this run's state folder. */
async function portalPid(): Promise<number> {
  const state = process.env.HEARTH_STATE
  if (!state)
    throw new Error('HEARTH_STATE is not set: npm test sets it to the state folder of the Hearth under test.')
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const words = (await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')).split('\0')
    if (words.some((word) => word.endsWith('apps/web/server/main.ts')) && words.includes(state))
      return Number(entry)
  }
  throw new Error('The portal is not running.')
}
