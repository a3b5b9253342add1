import type { ActionReport } from '@hearth/shared/action'
import {
  actionGetInputSchema,
  imageBuildInputSchema,
  imageCreateInputSchema,
  imageDeleteInputSchema,
  imageImportInputSchema,
  type VmReport,
  vmCreateInputSchema,
  vmPowerInputSchema,
  vmRebuildInputSchema,
  vmRefInputSchema,
  vmSnapshotInputSchema,
  vmUpdateInputSchema,
  volumeCreateInputSchema,
  volumeGrowInputSchema,
  volumeRefInputSchema,
} from '@hearth/shared/agent-protocol'
import { errorReport } from '@hearth/shared/errors'
import { recordingRefInputSchema, recordingStartInputSchema } from '@hearth/shared/recording'
import type { VmSnapshotReport } from '@hearth/shared/snapshot'
import { GIB, MIB } from '@hearth/shared/units'
import { initTRPC, TRPCError } from '@trpc/server'
import superjson from 'superjson'
import type { FakeAgent } from './fake-agent.ts'
import { fakeBackupRouter } from './fake-agent-backups.ts'

const fakeTrpc = () =>
  initTRPC.create({
    transformer: superjson,
    isDev: false,
    errorFormatter: ({ shape, error }) => ({
      ...shape,
      data: { ...shape.data, hearth: errorReport(error.cause) },
    }),
  })

const now = () => new Date().toISOString()

export type FakeTrpc = ReturnType<typeof fakeTrpc>
export type Refusing = (work: () => Promise<ActionReport>) => Promise<ActionReport>

export function fakeAgentRouter(agent: FakeAgent) {
  const t = fakeTrpc()
  const refusing: Refusing = async (work) => {
    try {
      return await work()
    } catch (cause) {
      throw new TRPCError({ code: 'BAD_REQUEST', cause })
    }
  }
  const { vms } = agent
  return t.router({
    vm: t.router({
      create: t.procedure.input(vmCreateInputSchema).mutation(({ input }) =>
        refusing(() =>
          agent.accept('vm.create', 'create_vm', input, { vmUid: input.spec.vmUid }, () => {
            const { vmUid, name, generation, cpus, memoryBytes, diskBytes } = input.spec
            const at = now()
            const vm: VmReport = {
              ...{ vmUid, name, generation, cpus, memoryBytes },
              state: 'creating',
              since: at,
              exitReason: null,
              panicked: false,
              addresses: [],
              diskBytes: diskBytes ?? null,
              diskUsedBytes: 0,
              observedAt: at,
            }
            vms.set(vmUid, vm)
            agent.specs.set(vmUid, input.spec)
            for (const { volumeUid } of input.spec.volumes ?? [])
              agent.setVolume({ volumeUid, bytes: 1 * GIB, storedBytes: 64 * MIB })
            agent.emit({ type: 'vm', vm })
          }),
        ),
      ),
      power: t.procedure.input(vmPowerInputSchema).mutation(({ input }) =>
        refusing(async () => {
          agent.require(input.vmUid)
          return agent.accept('vm.power', `${input.op}_vm`, input, { vmUid: input.vmUid })
        }),
      ),
      update: t.procedure.input(vmUpdateInputSchema).mutation(({ input }) =>
        refusing(() =>
          agent.accept('vm.update', 'update_vm', input, { vmUid: input.spec.vmUid }, () => {
            agent.specs.set(input.spec.vmUid, input.spec)
          }),
        ),
      ),
      rebuild: t.procedure.input(vmRebuildInputSchema).mutation(({ input }) =>
        refusing(() =>
          agent.accept('vm.rebuild', 'rebuild_vm', input, { vmUid: input.spec.vmUid }, () => {
            agent.specs.set(input.spec.vmUid, input.spec)
          }),
        ),
      ),
      snapshot: t.procedure.input(vmSnapshotInputSchema).mutation(({ input }) =>
        refusing(async () => {
          agent.require(input.vmUid)
          return agent.accept('vm.snapshot', 'snapshot_vm', input, { vmUid: input.vmUid }, () => {
            const { snapshotUid, vmUid } = input
            const running = vms.get(vmUid)?.state === 'running'
            const snapshot: VmSnapshotReport = {
              ...{ snapshotUid, vmUid, diskBytes: 1 * GIB, storedBytes: 64 * MIB, takenAt: now() },
              consistency: running ? 'paused' : 'stopped',
            }
            agent.snapshots.set(snapshotUid, snapshot)
            agent.emit({ type: 'vm_snapshot', snapshot })
          })
        }),
      ),
      restore: t.procedure.input(vmSnapshotInputSchema).mutation(({ input }) =>
        refusing(async () => {
          agent.requireSnapshot(input.snapshotUid)
          return agent.accept('vm.restore', 'restore_vm', input, { vmUid: input.vmUid })
        }),
      ),
      deleteSnapshot: t.procedure.input(vmSnapshotInputSchema).mutation(({ input }) =>
        refusing(async () => {
          agent.requireSnapshot(input.snapshotUid)
          return agent.accept('vm.deleteSnapshot', 'delete_snapshot', input, { vmUid: input.vmUid }, () => {
            agent.snapshots.delete(input.snapshotUid)
            agent.emit({ type: 'vm_snapshot_removed', snapshotUid: input.snapshotUid })
          })
        }),
      ),
      delete: t.procedure.input(vmRefInputSchema).mutation(({ input }) =>
        refusing(async () => {
          agent.require(input.vmUid)
          return agent.accept('vm.delete', 'delete_vm', input, { vmUid: input.vmUid })
        }),
      ),
    }),
    backup: fakeBackupRouter(agent, t, refusing),
    volume: t.router({
      create: t.procedure.input(volumeCreateInputSchema).mutation(({ input }) =>
        refusing(() => {
          const { volumeUid, bytes, attach } = input
          return agent.accept(
            'volume.create',
            'create_volume',
            input,
            attach ? { vmUid: attach.vmUid } : {},
            () => {
              if (attach) agent.specs.set(attach.vmUid, attach)
              agent.setVolume({ volumeUid, bytes, storedBytes: 64 * MIB })
            },
          )
        }),
      ),
      grow: t.procedure.input(volumeGrowInputSchema).mutation(({ input }) =>
        refusing(() => {
          const { volumeUid, bytes } = input
          return agent.accept('volume.grow', 'resize_volume', input, {}, () =>
            agent.setVolume({ volumeUid, bytes, storedBytes: 64 * MIB }),
          )
        }),
      ),
      delete: t.procedure.input(volumeRefInputSchema).mutation(({ input }) =>
        refusing(() =>
          agent.accept('volume.delete', 'delete_volume', input, {}, () => {
            agent.volumes.delete(input.volumeUid)
            agent.emit({ type: 'volume_removed', volumeUid: input.volumeUid })
          }),
        ),
      ),
    }),
    image: t.router({
      build: t.procedure
        .input(imageBuildInputSchema)
        .mutation(({ input }) =>
          refusing(() => agent.accept('image.build', 'build_image', input, { imageUid: input.imageUid })),
        ),
      import: t.procedure
        .input(imageImportInputSchema)
        .mutation(({ input }) =>
          refusing(() =>
            agent.accept('image.import', 'import_image', input, { imageUid: input.image.imageUid }),
          ),
        ),
      create: t.procedure.input(imageCreateInputSchema).mutation(({ input }) =>
        refusing(() =>
          agent.accept('image.create', 'create_image', input, {
            ...{ imageUid: input.image.imageUid, vmUid: input.vmUid },
          }),
        ),
      ),
      delete: t.procedure
        .input(imageDeleteInputSchema)
        .mutation(({ input }) =>
          refusing(() => agent.accept('image.delete', 'delete_image', input, { imageUid: input.imageUid })),
        ),
    }),
    recording: t.router({
      list: t.procedure.query(() => agent.recordings?.list() ?? []),
      start: t.procedure.input(recordingStartInputSchema).mutation(({ input }) => {
        if (!agent.recordings) throw new TRPCError({ code: 'NOT_FOUND' })
        return agent.recordings.start(input)
      }),
      stop: t.procedure.input(recordingRefInputSchema).mutation(({ input }) => {
        if (!agent.recordings) throw new TRPCError({ code: 'NOT_FOUND' })
        return agent.recordings.stop(input.recordingUid)
      }),
      delete: t.procedure
        .input(recordingRefInputSchema)
        .mutation(({ input }) => agent.recordings?.remove(input.recordingUid)),
    }),
    action: t.router({
      get: t.procedure
        .input(actionGetInputSchema)
        .query(({ input }) => agent.actions.get(input.actionId) ?? null),
      cancel: t.procedure.input(actionGetInputSchema).mutation(({ input }) => {
        agent.asked.push({ path: 'action.cancel', actionId: input.actionId, input })
        const { command, vmUid } = agent.actions.get(input.actionId) ?? {}
        if (command === 'create_vm' && vmUid && vms.delete(vmUid)) agent.emit({ type: 'vm_removed', vmUid })
        agent.finish(input.actionId, { code: 'cancelled', message: 'This was cancelled.' })
        return agent.actions.get(input.actionId) ?? null
      }),
    }),
    events: t.procedure.subscription(({ signal }) => agent.events(signal ?? new AbortController().signal)),
  })
}
