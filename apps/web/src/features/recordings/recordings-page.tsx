'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Circle, Download, Play, Square, Trash2 } from 'lucide-react'
import Link from 'next/link'
import { useSearchParams } from 'next/navigation'
import { useState } from 'react'
import type { RecordingView } from '../../../server/views/recording.ts'
import { useTRPC } from '../../data/trpc.ts'
import { bytes, dateTime, duration } from '../../lib/format.ts'
import { useNow } from '../../lib/now.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Badge } from '../../ui/badge.tsx'
import { IconButton } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { Confirm } from '../../ui/confirm.tsx'
import { EmptyState, PageHeader, Skeleton } from '../../ui/layout.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'

const t = m.recordings
/** One that goes on grows. */
const refetchMs = 5_000

/** Every recording of the home, or those of one VM; for administrators. */
export function RecordingsPage() {
  const trpc = useTRPC()
  const asked = Number(useSearchParams().get('vm'))
  const filter = Number.isSafeInteger(asked) && asked > 0 ? { vmId: asked } : {}
  const { data, error, refetch } = useQuery(
    trpc.recording.list.queryOptions(filter, { refetchInterval: refetchMs }),
  )
  const options = {
    onError: tellRefusal,
    onSettled: () => void refetch(),
  }
  const stop = useMutation(trpc.recording.stop.mutationOptions(options))
  const remove = useMutation(trpc.recording.delete.mutationOptions(options))
  const [removing, setRemoving] = useState<RecordingView | null>(null)
  return (
    <div className="flex flex-col gap-5">
      <PageHeader title={t.title} description={t.description} />
      {error && !data ? <LoadError error={error} /> : null}
      {!data && !error ? <Skeleton className="h-40 rounded-card!" /> : null}
      {data?.length === 0 ? (
        <div className="card">
          <EmptyState title={t.empty.title}>{t.empty.text}</EmptyState>
        </div>
      ) : null}
      {data && data.length > 0 ? (
        <ul className="card divide-y divide-line" aria-label={t.title}>
          {data.map((recording) => (
            <Line
              key={recording.recordingUid}
              recording={recording}
              onStop={() => stop.mutate({ recordingUid: recording.recordingUid })}
              onRemove={() => setRemoving(recording)}
            />
          ))}
        </ul>
      ) : null}
      {removing ? (
        <Confirm
          title={t.removeTitle(removing.vm.name)}
          text={t.removeText}
          action={t.remove}
          cancel={m.common.cancel}
          closeLabel={m.common.close}
          danger
          busy={remove.isPending}
          onClose={() => setRemoving(null)}
          onConfirm={() =>
            remove.mutate({ recordingUid: removing.recordingUid }, { onSuccess: () => setRemoving(null) })
          }
        />
      ) : null}
    </div>
  )
}

function Line({
  recording,
  onStop,
  onRemove,
}: {
  recording: RecordingView
  onStop: () => void
  onRemove: () => void
}) {
  const { recordingUid, vm, kind, startedBy, startedAt, endedAt, end } = recording
  const now = useNow(endedAt === null)
  const from = new Date(startedAt).getTime()
  const length = Math.max(0, (endedAt === null ? now : new Date(endedAt).getTime()) - from)
  const when = dateTime(startedAt)
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5">
      <div className="min-w-0 flex-1 basis-64">
        <div className="flex flex-wrap items-center gap-2">
          {vm.deleted ? (
            <span className="truncate font-medium">{vm.name}</span>
          ) : (
            <Link className="truncate font-medium hover:underline" href={paths.vm(vm.id)}>
              {vm.name}
            </Link>
          )}
          <Badge>{t.kinds[kind]}</Badge>
          {endedAt === null ? (
            <Badge tone="bad" icon={<Circle />}>
              {t.goesOn}
            </Badge>
          ) : null}
          {vm.deleted ? <Badge>{t.deletedVm}</Badge> : null}
        </div>
        <p className="tnum mt-0.5 text-13 text-ink-3">
          {t.facts(when, duration(length), bytes(recording.bytes), startedBy)}
          {end === null || end === 'stopped' ? null : ` · ${t.ends[end]}`}
        </p>
      </div>
      <div className="flex items-center gap-1">
        <Link
          className={buttonClass('secondary', 'sm')}
          href={paths.recording(recordingUid)}
          aria-label={t.playNamed(vm.name, when)}
        >
          <Play aria-hidden="true" />
          {t.play}
        </Link>
        <a
          className={buttonClass('ghost', 'sm', 'size-8 px-0 [&_svg]:size-4')}
          href={paths.recordingFile(recordingUid, true)}
          aria-label={t.download}
          title={t.download}
          download
        >
          <Download />
        </a>
        {endedAt === null ? (
          <IconButton label={t.stop} onClick={onStop}>
            <Square className="text-bad" />
          </IconButton>
        ) : (
          <IconButton label={t.remove} onClick={onRemove}>
            <Trash2 />
          </IconButton>
        )}
      </div>
    </li>
  )
}
