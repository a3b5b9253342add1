'use client'
import { useMutation } from '@tanstack/react-query'
import { errorMessage } from '../../data/errors.ts'
import type { VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/index.ts'
import { Confirm } from '../../ui/confirm.tsx'
import { toast } from '../../ui/toast.tsx'
import { useVmCache } from './use-vm-cache.ts'

/** Asks whether the creation is really to end, and ends it. */
export function CancelCreation({ vm, onClose }: { vm: VmView; onClose: () => void }) {
  const trpc = useTRPC()
  const { keep } = useVmCache()
  const cancel = useMutation(
    trpc.vm.cancel.mutationOptions({
      onSuccess(change) {
        keep(change.vm)
        toast.success(m.creation.cancelled(vm.name))
        onClose()
      },
    }),
  )
  const t = m.creation.confirm
  return (
    <Confirm
      title={t.title(vm.name)}
      text={t.text}
      action={m.creation.cancel}
      cancel={t.keep}
      closeLabel={m.common.close}
      danger
      busy={cancel.isPending}
      error={cancel.error && errorMessage(cancel.error, m.entry.signIn.unreachable)}
      onConfirm={() => cancel.mutate({ id: vm.id })}
      onClose={onClose}
    />
  )
}
