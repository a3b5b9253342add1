/**
 * The local certificate authority for a portal that listens beyond loopback: made once, kept in the state
 * folder, trusted by hand on each device (the portal's page /trust tells how). The portal's own certificate is
 * made anew when it nears its end or the names change. openssl does the X.509; it is on every Debian.
 */

import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { run } from '../lib/run.ts'
import { Trouble } from '../lib/steps.ts'
import type { State } from './state.ts'

export interface Tls {
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

const AUTHORITY_DAYS = 3650
/** Apple's platforms refuse server certificates that live longer than 825 days; browsers are moving below 398. */
const CERTIFICATE_DAYS = 397
const RENEW_BEFORE_MS = 30 * 24 * 3600_000

export async function ensureTls(state: State, hostname: string, listen: string): Promise<Tls> {
  const directory = path.join(state.secrets, 'tls')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const authority = path.join(directory, 'ca.crt')
  const authorityKey = path.join(directory, 'ca.key')
  const certificate = path.join(directory, 'portal.crt')
  const key = path.join(directory, 'portal.key')
  if (!(await readable(authority)) || !(await readable(authorityKey))) {
    await openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256'],
      ...[
        '-days',
        String(AUTHORITY_DAYS),
        '-subj',
        `/CN=Hearth at ${hostname}`,
        '-keyout',
        authorityKey,
        '-out',
        authority,
      ],
      ...[
        '-addext',
        'basicConstraints=critical,CA:TRUE,pathlen:0',
        '-addext',
        'keyUsage=critical,keyCertSign,cRLSign',
      ],
    )
    await rm(certificate, { force: true })
  }
  const names = alternativeNames(hostname, listen)
  if (!(await stillGood(certificate, names))) {
    const request = path.join(directory, 'portal.csr')
    const extensions = path.join(directory, 'portal.ext')
    await writeFile(
      extensions,
      `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=${names.join(',')}\n`,
    )
    await openssl(
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', `/CN=${hostname}`, '-keyout', key, '-out', request],
    )
    await openssl(
      ...[
        'x509',
        '-req',
        '-in',
        request,
        '-CA',
        authority,
        '-CAkey',
        authorityKey,
        '-CAcreateserial',
        '-sha256',
      ],
      ...['-days', String(CERTIFICATE_DAYS), '-extfile', extensions, '-out', certificate],
    )
    await rm(request, { force: true })
    await rm(extensions, { force: true })
  }
  return { authority, certificate, key }
}

/** What the certificate is for: the name, loopback, and the addresses the portal can be reached at. */
function alternativeNames(hostname: string, listen: string): string[] {
  const addresses = new Set(['127.0.0.1', '::1'])
  if (net.isIP(listen) && listen !== '0.0.0.0' && listen !== '::') addresses.add(listen)
  else {
    for (const list of Object.values(os.networkInterfaces())) {
      for (const entry of list ?? []) if (!entry.address.startsWith('fe80:')) addresses.add(entry.address)
    }
  }
  return [`DNS:${hostname}`, 'DNS:localhost', ...[...addresses].sort().map((address) => `IP:${address}`)]
}

async function stillGood(file: string, names: readonly string[]): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(file))
    const has =
      certificate.subjectAltName?.split(', ').map((name) => name.replace('IP Address:', 'IP:')) ?? []
    const covered = names.every((name) => name.includes('::') || has.includes(name))
    return covered && Date.parse(certificate.validTo) - Date.now() > RENEW_BEFORE_MS
  } catch {
    return false
  }
}

async function readable(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  )
}

async function openssl(...args: string[]): Promise<void> {
  const result = await run('openssl', args)
  if (result.code !== 0) throw new Trouble(`openssl could not make the certificate:\n${result.tail}`)
}
