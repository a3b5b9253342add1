'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { errorMessage } from '../../data/errors.ts'
import { useSession, type VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { toast } from '../../ui/toast.tsx'

export interface Recording {
  /** Whether there is something to choose: for administrators only. */
  readonly may: boolean
  readonly on: boolean
  toggle(): void
}

/** An administrator's choice to have a console recorded. `recorded` is what the console itself has heard. */
export function useRecording(vm: VmView, kind: 'display' | 'serial', recorded: boolean): Recording {
  const trpc = useTRPC()
  const may = useSession().session?.user?.role === 'admin'
  const { data, refetch } = useQuery(trpc.recording.list.queryOptions({ vmId: vm.id }, { enabled: may }))
  const onError = (failure: unknown) =>
    toast.error(m.common.failed, errorMessage(failure, m.entry.signIn.unreachable))
  const onSettled = () => void refetch()
  const start = useMutation(
    trpc.recording.start.mutationOptions({
      onSuccess: () => toast.success(m.recordings.started),
      onError,
      onSettled,
    }),
  )
  const stop = useMutation(
    trpc.recording.stop.mutationOptions({
      onSuccess: () => toast.success(m.recordings.stopped),
      onError,
      onSettled,
    }),
  )
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when the console heard of a change
  useEffect(() => {
    if (may) void refetch()
  }, [may, recorded, refetch])
  const current = data?.find((each) => each.kind === kind && each.endedAt === null)
  return {
    may,
    on: current !== undefined,
    toggle: () => {
      if (current) stop.mutate({ recordingUid: current.recordingUid })
      else start.mutate({ vmId: vm.id, kind })
    },
  }
}
