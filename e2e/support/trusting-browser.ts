import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Browser, chromium } from '@playwright/test'

const execute = promisify(execFile)

/**
 * Chromium as on a device whose owner took the portal's certificate authority in (`authority`, a PEM file), and whose
 * network resolves the portal's name. `home` is an empty folder for the browser's own store of authorities.
 */
export async function trustingBrowser(options: {
  home: string
  host: string
  authority: string | undefined
}): Promise<Browser> {
  const store = path.join(options.home, '.pki/nssdb')
  await mkdir(store, { recursive: true })
  await execute('certutil', ['-d', `sql:${store}`, '-N', '--empty-password'])
  if (options.authority !== undefined) {
    await execute('certutil', [
      ...['-d', `sql:${store}`, '-A', '-n', 'hearth', '-t', 'C,,', '-i', options.authority],
    ])
  }
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
      `--host-resolver-rules=MAP ${options.host} 127.0.0.1`,
    ],
    env: { ...(process.env as Record<string, string>), HOME: options.home },
  })
}
