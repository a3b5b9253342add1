/** Recordings of consoles: an administrator's business, each step of which is in the activity. */
import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared/errors'
import type { RecordingKind, RecordingReport } from '@hearth/shared/recording'
import type { Viewer } from '../auth/viewer.ts'
import type { Queries } from '../db/client.ts'
import type { ActivityKind } from '../views/activity.ts'
import type { RecordingView } from '../views/recording.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './errors.ts'
import type { PortalServices } from './types.ts'
import { ensureAble } from './vm-rules.ts'
import { conditionOf, findVm } from './vms.ts'

const words: Record<RecordingKind, string> = { display: 'screen', serial: 'serial console' }

interface Found {
  hostId: number
  report: RecordingReport
}

/** Of every host that is there. Throws when none is. */
async function all({ db, hosts }: ServiceContext): Promise<Found[]> {
  const rows = await db.host.findMany({ select: { id: true }, orderBy: { id: 'asc' } })
  const online = rows.filter(({ id }) => hosts.isOnline(id))
  if (online.length === 0)
    throw new HearthError('host_unavailable', 'The host, which keeps the recordings, is away.')
  const lists = await Promise.all(
    online.map(async ({ id }) =>
      (await hosts.recordings(id).recordings()).map((report) => ({ hostId: id, report })),
    ),
  )
  return lists.flat()
}

async function find(context: ServiceContext, recordingUid: string): Promise<Found> {
  const found = (await all(context)).find(({ report }) => report.recordingUid === recordingUid)
  if (!found) throw notFound('recording')
  return found
}

async function views(queries: Queries, found: readonly Found[]): Promise<RecordingView[]> {
  const vmUids = [...new Set(found.map(({ report }) => report.vmUid))]
  const vms = await queries.vm.findMany({
    where: { vmUid: { in: vmUids } },
    select: { id: true, vmUid: true, name: true, deletedAt: true },
  })
  const byUid = new Map(vms.map((vm) => [vm.vmUid, vm]))
  return found.flatMap(({ report: { vmUid, vmName: _, ...report } }) => {
    const vm = byUid.get(vmUid)
    // Of a VM this portal never had: not its business.
    return vm ? [{ ...report, vm: { id: vm.id, name: vm.name, deleted: vm.deletedAt !== null } }] : []
  })
}

async function note(
  { db }: ServiceContext,
  viewer: Viewer,
  kind: ActivityKind,
  did: string,
  report: RecordingReport,
): Promise<void> {
  const vm = await db.vm.findFirst({ where: { vmUid: report.vmUid }, select: { id: true, projectId: true } })
  await record(db, {
    kind,
    summary: `${did} ${words[report.kind]} of ${report.vmName}`,
    actor: actorOf(viewer),
    from: viewer.from,
    ...(vm ? { projectId: vm.projectId, vmId: vm.id } : {}),
  })
}

/** The file of a recording and what it is called, for whoever may have it; looking at it leaves its line, too. */
export async function openRecording(
  context: ServiceContext,
  viewer: Viewer,
  { recordingUid, download }: { recordingUid: string; download: boolean },
  signal: AbortSignal,
): Promise<{ data: Response; fileName: string }> {
  const { hostId, report } = await find(context, recordingUid)
  const data = await context.hosts.recordings(hostId).recordingData(recordingUid, signal)
  if (data.status !== 200) throw notFound('recording')
  const did = download ? 'Downloaded a recording of the' : 'Looked at a recording of the'
  await note(context, viewer, 'vm.recording_play', did, report)
  const when = report.startedAt.slice(0, 19).replaceAll(':', '-')
  return { data, fileName: `${report.vmName}-${when}.${report.kind === 'display' ? 'fbs' : 'cast'}` }
}

export function recordingsService(context: ServiceContext): PortalServices['recordings'] {
  const { db, hosts } = context
  const one = async (found: Found): Promise<RecordingView> => {
    const [view] = await views(db, [found])
    if (!view) throw notFound('recording')
    return view
  }
  return {
    async list({ vmId }) {
      const found = await views(db, await all(context))
      return found.filter(({ vm }) => vmId === undefined || vm.id === vmId)
    },
    async get(recordingUid) {
      return one(await find(context, recordingUid))
    },
    async start(viewer, { vmId, kind }) {
      const vm = await findVm(db, vmId)
      ensureAble(kind === 'serial' ? 'console' : 'screen', conditionOf(context, vm))
      const recordingUid = randomUUID()
      const report = await hosts.recordings(vm.hostId).startRecording({
        ...{ recordingUid, kind, vmUid: vm.vmUid },
        startedBy: viewer.name.slice(0, 80),
      })
      // Another administrator was first: theirs goes on, and nothing new happened.
      if (report.recordingUid === recordingUid)
        await note(context, viewer, 'vm.recording_start', 'Began to record the', report)
      return one({ hostId: vm.hostId, report })
    },
    async stop(viewer, recordingUid) {
      const { hostId, report: before } = await find(context, recordingUid)
      const report = await hosts.recordings(hostId).stopRecording(recordingUid)
      if (before.endedAt === null)
        await note(context, viewer, 'vm.recording_stop', 'Stopped recording the', report)
      return one({ hostId, report })
    },
    async delete(viewer, recordingUid) {
      const { hostId, report } = await find(context, recordingUid)
      await hosts.recordings(hostId).deleteRecording(recordingUid)
      await note(context, viewer, 'vm.recording_delete', 'Deleted a recording of the', report)
    },
  }
}
