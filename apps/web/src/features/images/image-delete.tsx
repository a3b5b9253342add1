'use client'
import { useMutation } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { errorMessage } from '../../data/errors.ts'
import type { ImageView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Confirm } from '../../ui/confirm.tsx'
import { toast } from '../../ui/toast.tsx'

const t = m.images.page

/** What came from the catalogue can be had again: it asks for less than what is nowhere else. */
export function ImageDelete({ image, onClose }: { image: ImageView; onClose: () => void }) {
  const router = useRouter()
  const own = image.source !== 'build' && image.source !== 'download'
  const remove = useMutation(
    useTRPC().image.delete.mutationOptions({
      onSuccess: () => {
        toast.success(t.deleted(image.name))
        onClose()
        if (own) router.push(paths.images())
      },
    }),
  )
  return (
    <Confirm
      title={t.deleteTitle(image.name)}
      text={
        <>
          <p>{t.deleteText(image.usedBy)}</p>
          <p className="mt-2">{own ? m.images.usedBy(image.usedBy) : t.deleteCatalogue}</p>
        </>
      }
      action={t.delete}
      cancel={m.common.cancel}
      closeLabel={m.common.close}
      danger
      busy={remove.isPending}
      error={remove.error ? errorMessage(remove.error, m.entry.signIn.unreachable) : null}
      {...(own && image.status === 'ready'
        ? { typeName: { name: image.name, label: t.typeName(image.name), mismatch: t.typeFirst(image.name) } }
        : {})}
      onConfirm={() => remove.mutate({ id: image.id })}
      onClose={onClose}
    />
  )
}
