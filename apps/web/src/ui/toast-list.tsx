'use client'
import { Toast as Base } from '@base-ui/react/toast'
import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { ToastText } from './toast.tsx'

/** How long something can be taken back; stands still while somebody points at it or has the focus in it. */
const undoMs = 12_000

/** `ready` is called once with what shows a text. */
export default function ToastHost({
  closeLabel,
  ready,
}: {
  closeLabel: string
  ready: (tell: (text: ToastText) => void) => void
}) {
  const [manager] = useState(() => Base.createToastManager())
  // A manager tells only who is there already: the provider below listens once it is mounted.
  useEffect(() => {
    ready(({ title, description, type, undo }) => {
      const stays = type === 'error'
      const id: string = manager.add({
        ...{ title, description, type, timeout: stays ? 0 : undo ? undoMs : 5000 },
        ...(stays ? { priority: 'high' as const } : {}),
        ...(undo ? { actionProps: { children: undo.label, onClick: () => takeBack(undo) } } : {}),
      })
      function takeBack({ act }: NonNullable<typeof undo>) {
        manager.close(id)
        act()
      }
    })
  }, [manager, ready])
  return (
    <Base.Provider toastManager={manager} limit={4}>
      <Base.Portal>
        <Base.Viewport className="fixed inset-x-3 bottom-20 z-60 flex flex-col gap-2 sm:inset-x-auto sm:right-5 sm:bottom-5 sm:w-92">
          <ToastList closeLabel={closeLabel} />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  )
}

function ToastList({ closeLabel }: { closeLabel: string }) {
  const { toasts } = Base.useToastManager()
  return toasts.map((item) => (
    <Base.Root
      key={item.id}
      toast={item}
      className="rounded-card border border-line bg-overlay shadow-float transition-[opacity,translate] duration-130 data-ending-style:translate-y-2 data-starting-style:translate-y-2 data-ending-style:opacity-0 data-starting-style:opacity-0 data-limited:hidden"
    >
      <Base.Content className="flex items-start gap-3 p-3.5">
        {item.type === 'error' ? (
          <CircleAlert className="mt-0.5 size-4.5 shrink-0 text-bad" aria-hidden="true" />
        ) : (
          <CircleCheck className="mt-0.5 size-4.5 shrink-0 text-ok" aria-hidden="true" />
        )}
        <div className="min-w-0 flex-1">
          <Base.Title className="font-medium text-sm" />
          <Base.Description className="mt-0.5 break-words text-13 text-ink-2" />
        </div>
        {item.actionProps ? (
          <Base.Action className="-my-1 rounded-control px-2 py-1 font-medium text-13 text-ember hover:bg-raised" />
        ) : null}
        <Base.Close
          aria-label={closeLabel}
          className="-m-1 rounded-md p-1 text-ink-3 hover:bg-raised hover:text-ink"
        >
          <X className="size-4" />
        </Base.Close>
      </Base.Content>
    </Base.Root>
  ))
}
