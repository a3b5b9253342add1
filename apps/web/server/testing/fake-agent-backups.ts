/** The stand-in agent's backups: there as soon as they are asked for, on a disk that is what a test says. */
import {
  backupRefInputSchema,
  backupTargetInputSchema,
  backupVmInputSchema,
} from '@hearth/shared/agent-protocol'
import type { BackupTargetReport } from '@hearth/shared/backup'
import { HearthError } from '@hearth/shared/errors'
import { GIB, MIB } from '@hearth/shared/units'
import { TRPCError } from '@trpc/server'
import type { FakeAgent } from './fake-agent.ts'
import type { FakeTrpc, Refusing } from './fake-agent-router.ts'

export const readyTarget = (folder: string): BackupTargetReport => ({
  ...{ folder, state: 'ready', problem: null, sameDisk: false },
  ...{ totalBytes: 1000 * GIB, availableBytes: 900 * GIB },
})

export function fakeBackupRouter(agent: FakeAgent, t: FakeTrpc, refusing: Refusing) {
  const require = (backupUid: string) => {
    if (!agent.backups.has(backupUid))
      throw new HearthError('not_found', 'This backup is not on the backup disk.')
  }
  return t.router({
    setTarget: t.procedure.input(backupTargetInputSchema).mutation(({ input }) => {
      const { refusal } = agent
      agent.refusal = null
      if (refusal) throw new TRPCError({ code: 'BAD_REQUEST', cause: refusal })
      agent.setBackupTarget(
        input.folder === null
          ? null
          : {
              ...readyTarget(input.folder),
              encrypted: input.key !== undefined,
            },
      )
      return agent.backupTarget
    }),
    take: t.procedure.input(backupVmInputSchema).mutation(({ input }) =>
      refusing(async () => {
        const { vmUid, backupUid } = input
        agent.require(vmUid)
        const spec = agent.specs.get(vmUid)
        if (!spec) throw new HearthError('not_found', 'This host has no such VM.')
        return agent.accept('backup.take', 'backup_vm', input, { vmUid }, () =>
          agent.setBackup({
            ...{ backupUid, vmUid, spec, takenAt: new Date().toISOString(), consistency: 'frozen' },
            ...{ bytes: spec.diskBytes ?? 0, storedBytes: 64 * MIB, damaged: false },
            volumes: (spec.volumes ?? []).map(({ volumeUid }) => ({ volumeUid, bytes: 1 * GIB })),
          }),
        )
      }),
    ),
    restore: t.procedure.input(backupVmInputSchema).mutation(({ input }) =>
      refusing(async () => {
        require(input.backupUid)
        return agent.accept('backup.restore', 'restore_backup', input, { vmUid: input.vmUid })
      }),
    ),
    verify: t.procedure.input(backupRefInputSchema).mutation(({ input }) =>
      refusing(async () => {
        require(input.backupUid)
        return agent.accept('backup.verify', 'verify_backup', input, {})
      }),
    ),
    delete: t.procedure.input(backupRefInputSchema).mutation(({ input }) =>
      refusing(async () => {
        require(input.backupUid)
        return agent.accept('backup.delete', 'delete_backup', input, {}, () => {
          agent.backups.delete(input.backupUid)
          agent.emit({ type: 'backup_removed', backupUid: input.backupUid })
        })
      }),
    ),
  })
}
