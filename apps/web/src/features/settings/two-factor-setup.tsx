'use client'
import { type FormEvent, useState } from 'react'
import { encode } from 'uqr'
import { beginTwoFactor, finishTwoFactor, type TwoFactorSetup } from '../../data/auth.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton, CopyLine } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { toast } from '../../ui/toast.tsx'
import { PasswordDialog } from './password-dialog.tsx'

const t = m.security.codes

/** Password, then the app and the recovery codes, then a first code: only that turns it on. */
export function TwoFactorSetupDialog({ onClose }: { onClose: () => void }) {
  const [setup, setSetup] = useState<TwoFactorSetup | null>(null)
  if (setup) return <ScanDialog setup={setup} onClose={onClose} />
  return (
    <PasswordDialog
      title={t.passwordTitle}
      text={t.passwordText}
      action={t.next}
      onClose={() => {
        // It closes when the password was right; then the next step is there already.
        setSetup((now) => {
          if (!now) onClose()
          return now
        })
      }}
      onPassword={async (password) => {
        const begun = await beginTwoFactor(password)
        if (typeof begun === 'string') return begun
        setSetup(begun)
        return 'ok'
      }}
    />
  )
}

function ScanDialog({ setup, onClose }: { setup: TwoFactorSetup; onClose: () => void }) {
  const [code, setCode] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const secret = new URL(setup.uri).searchParams.get('secret') ?? ''

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    const result = await finishTwoFactor(code.replace(/\s/g, ''))
    setBusy(false)
    if (result === 'ok') {
      toast.success(t.turnedOn)
      onClose()
    } else if (result === 'wrong') setProblem(t.wrongCode)
    else setProblem(result === 'too_many' ? m.entry.signIn.tooMany : m.entry.signIn.unreachable)
  }

  return (
    <Dialog
      open
      wide
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.scanTitle}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" form="two-factor" variant="primary" busy={busy}>
            {t.finish}
          </Button>
        </>
      }
    >
      <form id="two-factor" onSubmit={submit} noValidate className="flex flex-col gap-5">
        <div className="flex flex-wrap gap-5">
          <QrCode text={setup.uri} />
          <div className="min-w-0 flex-1 basis-56">
            <p className="mb-2 text-13 text-ink-2">{t.scan}</p>
            <CopyLine text={secret} label={m.common.copy(t.key)} copiedLabel={m.common.copied} />
          </div>
        </div>
        <RecoveryCodes codes={setup.codes} />
        <Field label={t.code} error={problem} className="max-w-56">
          <Input
            value={code}
            onChange={(event) => {
              setCode(event.target.value)
              setProblem(null)
            }}
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={9}
            className="tnum font-mono"
          />
        </Field>
      </form>
    </Dialog>
  )
}

export function RecoveryCodesDialog({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.renewTitle}
      footer={
        <Button variant="primary" onClick={onClose}>
          {t.done}
        </Button>
      }
    >
      <RecoveryCodes codes={codes} />
    </Dialog>
  )
}

function RecoveryCodes({ codes }: { codes: readonly string[] }) {
  return (
    <div>
      <p className="mb-2 text-13 text-ink-2">{t.recovery}</p>
      <div className="flex items-start gap-2 rounded-control border border-line bg-sunken p-3">
        <ul
          aria-label={t.recoveryCodes}
          className="grid flex-1 grid-cols-2 gap-x-6 gap-y-1 font-mono text-13 sm:grid-cols-3"
        >
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ul>
        <CopyButton
          text={codes.join('\n')}
          label={m.common.copy(t.recoveryCodes)}
          copiedLabel={m.common.copied}
        />
      </div>
    </div>
  )
}

/** Black on white in both themes: that is what cameras expect. */
function QrCode({ text }: { text: string }) {
  const { data, size } = encode(text, { ecc: 'M', border: 2 })
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  return (
    <svg
      role="img"
      aria-label={t.qr}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      className="size-44 shrink-0 rounded-control bg-white"
    >
      <path d={path} fill="#000" />
    </svg>
  )
}
