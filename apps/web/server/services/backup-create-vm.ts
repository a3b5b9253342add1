/** A VM of its own out of a backup: its disk, volumes and login, with a new name, address and identity. */
import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'
import { parseVmSpec, type VmSpec } from '@hearth/shared/vm-spec'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { Image } from '../generated/client.ts'
import type { VmChange } from '../views/vm.ts'
import { findRepeated, requestHash } from './actions.ts'
import {
  type BackupRow,
  dayOf,
  findBackup,
  requireReadyBackup,
  specOf,
  volumesInSchema,
} from './backup-source.ts'
import { damagedWhy } from './backup-view.ts'
import type { ServiceContext } from './context.ts'
import { defaultProjectId } from './home.ts'
import { openBridges } from './host-bridges.ts'
import { reserve } from './quota.ts'
import type { BackupRef } from './types.ts'
import { beginCreation, changeOf, insertVm, likeAnother } from './vm-create.ts'
import { hostInfoOf, requireSize } from './vm-size.ts'
import { followVolumes, serialOf } from './volume-rows.ts'

export async function createVmFromBackup(
  context: ServiceContext,
  viewer: Viewer,
  input: BackupRef & { name: string; start: boolean },
): Promise<VmChange> {
  const { db, hosts } = context
  const { id, name, start } = input
  const key = input.idempotencyKey ?? randomUUID()
  const idempotency = { key, hash: requestHash({ createFromBackup: { id, name, start } }) }
  const repeated = await findRepeated(db, viewer, idempotency)
  if (repeated) return changeOf(context, repeated)
  const row = await findBackup(db, id)
  requireReadyBackup(row)
  if (row.damaged) throw new HearthError('invalid_state', damagedWhy)
  const host = await db.host.findUniqueOrThrow({ where: { id: row.hostId } })
  const info = hostInfoOf(host, hosts.isOnline(host.id))
  const projectId = row.projectId ?? (await defaultProjectId(db))
  return beginCreation(context, viewer, {
    ...{ name, idempotency, topics: ['backups', 'volumes'] },
    insert: async (tx) => {
      const image = await imageOf(tx, row)
      const volumes = await makeVolumes(tx, row, projectId, name)
      const before = specOf(row)
      const spec = parseVmSpec({
        ...likeAnother(before, name),
        volumes: volumes.map(({ to, serial }) => ({ volumeUid: to, serial })),
        // The network it was on may be another house's.
        bridge: before.bridge && openBridges(host).includes(before.bridge) ? before.bridge : undefined,
      })
      requireSize({ ...spec, diskBytes: spec.diskBytes }, image, info)
      const begun = await insertVm(tx, {
        ...{ spec, input: { start }, viewer, projectId, hostId: host.id, image, idempotency },
        backup: {
          uid: row.backupUid,
          name: `the backup of ${row.vmName} from ${dayOf(row)}`,
          volumes: volumes.map(({ from, to }) => ({ from, to })),
        },
      })
      await attach(tx, spec)
      return begun
    },
  })
}

async function attach(tx: Queries, spec: VmSpec): Promise<void> {
  const vm = await tx.vm.findUniqueOrThrow({ where: { vmUid: spec.vmUid } })
  await followVolumes(tx, vm.id, spec)
}

async function makeVolumes(tx: Queries, row: BackupRow, projectId: number, name: string) {
  const made: { from: string; to: string; serial: string }[] = []
  for (const { volumeUid: from, bytes } of volumesInSchema.parse(JSON.parse(row.volumes))) {
    await reserve(tx, projectId, { disk: bytes })
    const to = randomUUID()
    const volume = await tx.volume.create({
      data: {
        ...{ volumeUid: to, projectId, hostId: row.hostId, bytes: BigInt(bytes), status: 'creating' },
        name: await freeVolumeName(tx, projectId, `${name}-disk-${made.length + 1}`),
      },
    })
    made.push({ from, to, serial: serialOf(volume.id) })
  }
  return made
}

async function freeVolumeName(tx: Queries, projectId: number, wanted: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`
    if ((await tx.volume.count({ where: { projectId, name, deletedAt: null } })) === 0) return name
  }
}

/** What it was made of once. A home that never had that image notes its name, so that the VM can tell it. */
async function imageOf(tx: Queries, row: BackupRow): Promise<Image> {
  if (row.vm) return row.vm.image
  const { image: uid, cloudInit } = specOf(row)
  const known = await tx.image.findUnique({ where: { uid } })
  if (known) return known
  return tx.image.create({
    data: {
      ...{ uid, name: uid, description: 'Of another home; known from a backup.' },
      ...{ cloudInit: cloudInit !== undefined, loginUser: cloudInit?.user ?? null },
      ...{ minMemoryBytes: 0n, minDiskBytes: 0n, source: 'vm', deletedAt: new Date() },
    },
  })
}
