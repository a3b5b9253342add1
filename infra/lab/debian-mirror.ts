/** Where this machine gets Debian from: read from its own apt, so a home's mirror or proxy is used here too. */
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'

export interface DebianMirror {
  /** The mirror of the main archive, without a trailing slash. */
  readonly main: string
  /** The mirror of the security archive, where the machine has one configured. */
  readonly security: string | undefined
}

export async function debianMirror(): Promise<DebianMirror> {
  const format = '$(ORIGIN)\t$(LABEL)\t$(COMPONENT)\t$(REPO_URI)'
  const result = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  return parseIndexTargets(result.stdout)
}

export function parseIndexTargets(text: string): DebianMirror {
  let main: string | undefined
  let security: string | undefined
  for (const line of text.split('\n')) {
    const [origin, label, component, uri] = line.split('\t')
    if (origin !== 'Debian' || component !== 'main' || !uri) continue
    if (label === 'Debian-Security') security ??= uri.replace(/\/+$/, '')
    else if (label === 'Debian') main ??= uri.replace(/\/+$/, '')
  }
  if (!main) {
    throw new Trouble(
      'This machine has no Debian mirror configured, or never read its package lists. Check /etc/apt/sources.list and run "apt-get update", then try again.',
    )
  }
  return { main, security }
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The apt source line of one suite of the main archive, signed by Debian's keys. */
export const aptSource = (mirror: DebianMirror, suite: string): string =>
  `deb [signed-by=${KEYRING}] ${mirror.main} ${suite} main`

/** apt source lines for a suite ("trixie") with its updates and security, for building a tree from that suite. */
export function aptSources(mirror: DebianMirror, suite: string, options: { signedBy: boolean }): string[] {
  const signed = options.signedBy ? `[signed-by=${KEYRING}] ` : ''
  const lines = [
    `deb ${signed}${mirror.main} ${suite} main`,
    `deb ${signed}${mirror.main} ${suite}-updates main`,
  ]
  if (mirror.security) lines.push(`deb ${signed}${mirror.security} ${suite}-security main`)
  return lines
}
