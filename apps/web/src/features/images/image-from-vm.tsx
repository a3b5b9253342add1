'use client'
import { useMutation } from '@tanstack/react-query'
import type { VmView } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { toast } from '../../ui/toast.tsx'
import { useImageFacts } from './image-facts-form.tsx'
import { ImageFormDialog } from './image-form-dialog.tsx'

const t = m.imageForms.fromVm

export function ImageFromVm({ vm, onClose }: { vm: Pick<VmView, 'id' | 'name'>; onClose: () => void }) {
  const make = useMutation(useTRPC().image.fromVm.mutationOptions())
  return (
    <ImageFormDialog
      id="image-from-vm"
      texts={{ ...t, title: t.title(vm.name) }}
      facts={useImageFacts()}
      request={make}
      withLogin={false}
      onSubmit={({ name, description, visibility }) =>
        make.mutate(
          { vmId: vm.id, name: name.trim(), description: description.trim(), visibility },
          {
            onSuccess: () => {
              toast.success(m.images.started(name.trim()))
              onClose()
            },
          },
        )
      }
      onClose={onClose}
    >
      <p className="text-13 text-ink-2">{t.warning}</p>
    </ImageFormDialog>
  )
}
