import { GIB, MIB } from '@hearth/shared/units'
import type { SshKeyView, VmCreateInput } from '../../../server/views/index.ts'

/** The same request for the public API, as a command to be pasted. */
export function apiCall(input: VmCreateInput, keys: readonly SshKeyView[], origin: string): string {
  const { cpus, memoryBytes, diskBytes } = input
  const names = input.sshKeys.map((line) => keys.find((key) => key.publicKey === line)?.name ?? line)
  const body = {
    name: input.name,
    // The API knows sizes by name; one that is written out fits all of them.
    server_type: `custom-${cpus}c-${memoryBytes / MIB}m-${diskBytes ? Math.ceil(diskBytes / GIB) : 0}g`,
    image: input.imageUid,
    ...(names.length > 0 ? { ssh_keys: names } : {}),
    ...(input.userData ? { user_data: input.userData } : {}),
    ...(input.labels ? { labels: input.labels } : {}),
    ...(input.bridge ? { bridge: input.bridge } : {}),
    ...(input.start ? {} : { start_after_create: false }),
  }
  const json = JSON.stringify(body, null, 2).replaceAll("'", `'\\''`)
  return [
    `curl -X POST ${origin}/api/v1/servers \\`,
    `  -H "Authorization: Bearer $HEARTH_TOKEN" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${json}'`,
  ].join('\n')
}
