'use client'
import { lazy, Suspense } from 'react'
import { useQuotaRefusal } from '../../data/quota-refusals.ts'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'

const RefusalNotice = lazy(() =>
  import('./quota-refusal.tsx').then((part) => ({ default: part.RefusalNotice })),
)

/**
 * A start, a resize, a disk, a snapshot that the quota refused: what is missing, and more of it in one click. Mounted
 * once; a page that shows the refusal itself gives its mutation `meta: { quotaInline: true }`.
 */
export function QuotaDialog() {
  const { error, forget } = useQuotaRefusal()
  if (!error) return null
  return (
    <Dialog
      open
      onClose={forget}
      closeLabel={m.common.close}
      title={m.projects.quota.refusedTitle}
      footer={<Button onClick={forget}>{m.common.close}</Button>}
    >
      <Suspense>
        <RefusalNotice error={error} />
      </Suspense>
    </Dialog>
  )
}
