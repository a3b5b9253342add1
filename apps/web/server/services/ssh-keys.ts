import { HearthError } from '@hearth/shared/errors'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { SshKey } from '../generated/client.ts'
import type { ActivityKind } from '../views/activity.ts'
import type { SshKeyView } from '../views/ssh-key.ts'
import { standingOf } from './access.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { isUniqueViolation, notFound } from './errors.ts'
import { parseSshPublicKey } from './ssh-public-key.ts'
import type { PortalServices } from './types.ts'

function toView(key: SshKey): SshKeyView {
  const { id, projectId, name, type, publicKey, fingerprint } = key
  return { id, projectId, name, type, publicKey, fingerprint, createdAt: key.createdAt.toISOString() }
}

async function tell(tx: Queries, viewer: Viewer, projectId: number, kind: ActivityKind, summary: string) {
  await record(tx, { kind, summary, projectId, actor: actorOf(viewer), from: viewer.from })
}

const nameTaken = (name: string) =>
  new HearthError('uniqueness_error', `There is an SSH key named ${name} already. Choose another name.`)

export function sshKeysService({ db }: ServiceContext): PortalServices['sshKeys'] {
  const find = async (queries: Queries, id: number): Promise<SshKey> => {
    const key = await queries.sshKey.findUnique({ where: { id } })
    if (!key) throw notFound('SSH key')
    return key
  }
  return {
    async list(viewer, projectId) {
      const { visible } = await standingOf(db, viewer)
      const where = { AND: [visible, projectId === undefined ? {} : { projectId }] }
      return (await db.sshKey.findMany({ where, orderBy: { name: 'asc' } })).map(toView)
    },
    async get(id) {
      return toView(await find(db, id))
    },
    async create(viewer, projectId, input) {
      const { type, comment, line, fingerprint } = parseSshPublicKey(input.publicKey)
      const name = input.name ?? (comment.slice(0, 100) || `${type} ${fingerprint.slice(7, 15)}`)
      try {
        return await db.$transaction(async (tx) => {
          const key = await tx.sshKey.create({
            data: { projectId, name, type, publicKey: line, fingerprint },
          })
          await tell(tx, viewer, projectId, 'ssh_key.create', `Saved the SSH key ${name}`)
          return toView(key)
        })
      } catch (error) {
        if (isUniqueViolation(error, 'fingerprint'))
          throw new HearthError('uniqueness_error', 'That SSH key is saved already.')
        if (isUniqueViolation(error)) throw nameTaken(name)
        throw error
      }
    },
    async rename(viewer, id, name) {
      try {
        return await db.$transaction(async (tx) => {
          const key = await find(tx, id)
          const renamed = await tx.sshKey.update({ where: { id }, data: { name } })
          await tell(
            tx,
            viewer,
            key.projectId,
            'ssh_key.update',
            `Renamed the SSH key ${key.name} to ${name}`,
          )
          return toView(renamed)
        })
      } catch (error) {
        if (isUniqueViolation(error)) throw nameTaken(name)
        throw error
      }
    },
    async delete(viewer, id) {
      await db.$transaction(async (tx) => {
        const key = await find(tx, id)
        await tx.sshKey.delete({ where: { id } })
        await tell(tx, viewer, key.projectId, 'ssh_key.delete', `Deleted the SSH key ${key.name}`)
      })
    },
  }
}
