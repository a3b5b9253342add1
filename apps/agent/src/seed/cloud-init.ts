/**
 * The documents cloud-init's NoCloud data source reads from a disk labelled `cidata` on first boot. JSON is
 * YAML, so nothing here needs quoting rules of its own.
 */
import { HearthError } from '@hearth/shared/errors'
import type { LayoutName } from '@hearth/shared/keyboard-layouts'
import type { CloudInit, VmSpec } from '@hearth/shared/vm-spec'
import { keyboardFiles } from './keyboard.ts'

export interface SeedDocuments {
  'meta-data': string
  'user-data': string
  'network-config': string
}

export function seedDocuments(spec: VmSpec): SeedDocuments {
  return {
    'meta-data': `${JSON.stringify({ 'instance-id': spec.vmUid, 'local-hostname': spec.name }, null, 2)}\n`,
    'user-data': userData(spec),
    'network-config': `${JSON.stringify({ version: 2, ethernets: { eth0: ethernet(spec) } }, null, 2)}\n`,
  }
}

function ethernet(spec: VmSpec): Record<string, unknown> {
  return {
    match: { macaddress: spec.mac },
    'set-name': 'eth0',
    dhcp4: true,
    // networkd alone leaves the domain of the DHCP server aside unless told: `ping web` would find nobody.
    'dhcp4-overrides': { 'use-domains': true },
  }
}

function userData(spec: VmSpec): string {
  const { cloudInit } = spec
  if (!cloudInit) return cloudConfig({})
  const own = cloudConfig(hearthConfig(cloudInit, spec.display?.keyboard))
  if (cloudInit.userData === undefined || cloudInit.userData.trim() === '') return own
  const theirs = personPart(cloudInit.userData)
  const boundary = `==hearth-${spec.vmUid}==`
  if (cloudInit.userData.includes(boundary))
    throw new HearthError('invalid_input', 'The user data holds a line that Hearth needs as a separator.')
  // Theirs first: what a person writes wins over ours, and ours is merged into it, lists appended.
  return [
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    theirs,
    `--${boundary}`,
    'Content-Type: text/cloud-config; charset="utf-8"',
    'Merge-Type: dict(no_replace,recurse_list)+list(append)+str()',
    '',
    own,
    `--${boundary}--`,
    '',
  ].join('\n')
}

function hearthConfig(cloudInit: CloudInit, keyboard?: LayoutName): Record<string, unknown> {
  const user: Record<string, unknown> = {
    name: cloudInit.user,
    shell: '/bin/bash',
    sudo: 'ALL=(ALL) NOPASSWD:ALL',
    lock_passwd: cloudInit.passwordHash === undefined,
    ssh_authorized_keys: cloudInit.sshAuthorizedKeys,
  }
  if (cloudInit.passwordHash !== undefined) user.passwd = cloudInit.passwordHash
  return {
    users: [user],
    ssh_pwauth: cloudInit.passwordHash !== undefined,
    ...(keyboard === undefined ? {} : { write_files: keyboardFiles(keyboard) }),
  }
}

function cloudConfig(config: Record<string, unknown>): string {
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`
}

/** cloud-init tells the formats apart by how they begin (its documentation, "User data formats"). */
const formats: [RegExp, string][] = [
  [/^#cloud-config-archive\b/, 'text/cloud-config-archive'],
  [/^#cloud-config\b/, 'text/cloud-config'],
  [/^#cloud-boothook\b/, 'text/cloud-boothook'],
  [/^#include\b/, 'text/x-include-url'],
  [/^#part-handler\b/, 'text/part-handler'],
  [/^## template:\s*jinja\b/, 'text/jinja2'],
  [/^#!/, 'text/x-shellscript'],
]

function personPart(text: string): string {
  // A message with parts of its own becomes one part of ours as it is: its headers are the part's headers.
  if (/^(MIME-Version|Content-Type):/i.test(text)) return text
  const type = formats.find(([pattern]) => pattern.test(text))?.[1]
  if (!type)
    throw new HearthError(
      'invalid_input',
      'The user data begins with none of the lines cloud-init knows, such as #cloud-config or #!/bin/sh.',
    )
  return `Content-Type: ${type}; charset="utf-8"\n\n${text}${text.endsWith('\n') ? '' : '\n'}`
}
