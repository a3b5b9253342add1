'use client'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { RefusalNotice } from './quota-refusal.tsx'

export function QuotaRefused({ error, onClose }: { error: unknown; onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={m.projects.quota.refusedTitle}
      footer={<Button onClick={onClose}>{m.common.close}</Button>}
    >
      <RefusalNotice error={error} />
    </Dialog>
  )
}
