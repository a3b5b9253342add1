'use client'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useSubscription } from '@trpc/tanstack-react-query'
import { useEffect, useMemo } from 'react'
import type { HostView, ImageView, ProjectView, SessionView, VmView } from '../../server/views/index.ts'
import { useChosenProject } from '../lib/chosen-project.ts'
import { errorCode } from './errors.ts'
import { useShownAtOnce } from './pending.ts'
import { protectedVms, renamedProjects, updatedImages, updatedVms } from './shown-at-once.ts'
import { useTRPC } from './trpc.ts'

export type {
  ActionView,
  ActivityView,
  HostView,
  ImageView,
  InvitationView,
  MemberView,
  PersonView,
  ProjectView,
  QuotaRequestView,
  SessionView,
  SizeView,
  SshKeyView,
  TokenView,
  VmView,
} from '../../server/views/index.ts'

export function useSession(): { session: SessionView | undefined; error: unknown } {
  const trpc = useTRPC()
  const { data, error } = useQuery(trpc.session.get.queryOptions(undefined, { staleTime: 60_000 }))
  return { session: data, error }
}

/** How long a subscription that broke for a reason of the portal's own rests before it is asked for again. */
const resubscribeMs = 3000

/**
 * Feeds the cache from the portal's subscriptions; mounted once for all pages of a signed-in person.
 * Each value is the whole list, so a reconnect needs no catching up.
 */
export function useLiveData(onSignedOut: () => void): void {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const onError = (error: unknown) => {
    if (errorCode(error) === 'unauthorized') onSignedOut()
  }
  const subscriptions = [
    useSubscription(
      trpc.vm.watch.subscriptionOptions(undefined, {
        onData: (vms) => queries.setQueryData(trpc.vm.list.queryKey(), vms),
        onError,
      }),
    ),
    useSubscription(
      trpc.host.watch.subscriptionOptions(undefined, {
        onData: (hosts) => queries.setQueryData(trpc.host.list.queryKey(), hosts),
        onError,
      }),
    ),
    useSubscription(
      trpc.image.watch.subscriptionOptions(undefined, {
        onData: (images) => queries.setQueryData(trpc.image.list.queryKey(), images),
        onError,
      }),
    ),
    useSubscription(
      trpc.project.watch.subscriptionOptions(undefined, {
        onData: (projects) => {
          queries.setQueryData(trpc.project.list.queryKey(), projects)
          // Which projects there are and one's role in them is also part of who one is.
          void queries.invalidateQueries({ queryKey: trpc.session.get.queryKey() })
        },
        onError,
      }),
    ),
  ]
  const broken = subscriptions.find(
    ({ status, error }) => status === 'error' && errorCode(error) !== 'unauthorized',
  )
  const reset = broken?.reset
  useEffect(() => {
    if (!reset) return
    const timer = setTimeout(reset, resubscribeMs)
    return () => clearTimeout(timer)
  }, [reset])
}

/** Fresh for ever: the subscriptions above keep these up to date. */
const live = { staleTime: Number.POSITIVE_INFINITY } as const

/** Those of every project the person sees. */
export function useAllVms(): { vms: VmView[] | undefined; error: unknown } {
  const trpc = useTRPC()
  const { data, error } = useQuery(trpc.vm.list.queryOptions(undefined, live))
  const updated = useShownAtOnce(data, trpc.vm.update.mutationKey(), updatedVms)
  const vms = useShownAtOnce(updated, trpc.vm.protect.mutationKey(), protectedVms)
  return { vms, error }
}

/** Those of the project one works in, or of all of them when none is chosen. */
export function useVms(): { vms: VmView[] | undefined; error: unknown } {
  const { vms, error } = useAllVms()
  const { session } = useSession()
  const chosen = useChosenProject()
  // One that is gone, or that one has left, is no choice any more.
  const valid = session?.projects.some(({ id }) => id === chosen) ?? false
  const own = useMemo(
    () => (valid ? vms?.filter(({ project }) => project.id === chosen) : vms),
    [vms, valid, chosen],
  )
  return { vms: own, error }
}

export function useProjects(): { projects: ProjectView[] | undefined; error: unknown } {
  const trpc = useTRPC()
  const { data, error } = useQuery(trpc.project.list.queryOptions(undefined, live))
  return { projects: useShownAtOnce(data, trpc.project.rename.mutationKey(), renamedProjects), error }
}

export function useHosts(): { hosts: HostView[] | undefined; error: unknown } {
  const { data, error } = useQuery(useTRPC().host.list.queryOptions(undefined, live))
  return { hosts: data, error }
}

export function useImages(): { images: ImageView[] | undefined; error: unknown } {
  const trpc = useTRPC()
  const { data, error } = useQuery(trpc.image.list.queryOptions(undefined, live))
  return { images: useShownAtOnce(data, trpc.image.update.mutationKey(), updatedImages), error }
}
