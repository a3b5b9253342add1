'use client'
import { lazy, Suspense } from 'react'
import { useQuotaRefusal } from '../../data/quota-refusals.ts'

// Most people never see it.
const QuotaRefused = lazy(() =>
  import('./quota-refused.tsx').then((part) => ({ default: part.QuotaRefused })),
)

/**
 * A start, a resize, a disk, a snapshot that the quota refused: what is missing, and more of it in one click. Mounted
 * once; a page that shows the refusal itself gives its mutation `meta: { quotaInline: true }`.
 */
export function QuotaDialog() {
  const { error, forget } = useQuotaRefusal()
  if (!error) return null
  return (
    <Suspense>
      <QuotaRefused error={error} onClose={forget} />
    </Suspense>
  )
}
