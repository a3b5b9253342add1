'use client'
import { useState } from 'react'
import { fitsClipboard } from '../../console/clipboard-share.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { copyText } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Textarea } from '../../ui/field.tsx'
import { Switch } from '../../ui/switch.tsx'
import { toast } from '../../ui/toast.tsx'
import type { ClipboardAccess } from './use-clipboard-share.ts'
import type { DisplayConsole } from './use-display-console.ts'

const t = m.display.clipboard

/** Both clipboards by hand, and the switch that makes them one. */
export function DisplayClipboardDialog({
  console: screen,
  share,
  access,
  whyNot,
  onClose,
}: {
  console: DisplayConsole
  share: { on: boolean; set: (on: boolean) => void }
  access: ClipboardAccess
  /** Why nothing can be given to the VM now. */
  whyNot: string | null
  onClose: () => void
}) {
  const { guestClipboard, guestShares } = screen
  // What the guest copies while this is open is shown, unless somebody writes here.
  const [written, setWritten] = useState<string | null>(null)
  const text = written ?? guestClipboard?.text ?? ''
  const whyNoSend = whyNot ?? (text === '' ? t.empty : fitsClipboard(text) ? null : t.tooLong)
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.title}
      description={guestShares === false ? t.noAgent : t.text}
      footer={
        <>
          <Button
            whyDisabled={text === '' ? t.empty : null}
            onClick={() => void copyText(text).then((done) => done && toast.success(m.display.copied))}
          >
            {t.copyHere}
          </Button>
          <Button
            variant="primary"
            whyDisabled={whyNoSend}
            onClick={() => {
              screen.sendClipboard(text)
              toast.success(t.sent)
              onClose()
            }}
          >
            {t.send}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Field label={t.field} hint={t.fieldHint}>
          <Textarea
            rows={6}
            value={text}
            onChange={(event) => setWritten(event.target.value)}
            spellCheck={false}
            className="font-mono text-13!"
          />
        </Field>
        {access === 'possible' ? (
          <div className="flex items-center justify-between gap-4">
            <span>
              <span className="block font-medium text-13">{t.share}</span>
              <span className="block text-13 text-ink-3">{t.shareHint}</span>
            </span>
            <Switch label={t.share} checked={share.on} onChange={share.set} />
          </div>
        ) : (
          <p className="text-13 text-ink-3">{access === 'none' ? t.insecure : t.byHand}</p>
        )}
      </div>
    </Dialog>
  )
}
