import { useMutation } from '@tanstack/react-query'
import type { ImageView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { toast } from '../../ui/toast.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'

/** What one can do with an image from its card and its page; each answers by what the card then shows. */
export function useImageActions() {
  const trpc = useTRPC()
  const build = useMutation(trpc.image.build.mutationOptions({ onError: tellRefusal }))
  const retry = useMutation(trpc.image.retry.mutationOptions({ onError: tellRefusal }))
  const cancel = useMutation(trpc.image.cancel.mutationOptions({ onError: tellRefusal }))
  const drop = useMutation(trpc.image.dropUpload.mutationOptions({ onError: tellRefusal }))
  return {
    make(image: ImageView) {
      const onSuccess = () => toast.success(m.images.started(image.name))
      if (image.source === 'build' || image.source === 'download')
        build.mutate({ imageUid: image.uid }, { onSuccess })
      else retry.mutate({ id: image.id }, { onSuccess })
    },
    cancel(image: ImageView) {
      const onSuccess = () => toast.success(m.images.cancelled(image.name))
      if (image.status === 'uploading') drop.mutate({ id: image.id }, { onSuccess })
      else cancel.mutate({ id: image.id }, { onSuccess })
    },
    busy: build.isPending || retry.isPending || cancel.isPending || drop.isPending,
  }
}
