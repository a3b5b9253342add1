'use client'
import { type FormEvent, useState } from 'react'
import { signInWithCode } from '../../data/auth.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { CopyLine } from '../../ui/copy.tsx'
import { Field, Input } from '../../ui/field.tsx'
import { EntryCard } from './entry-card.tsx'

const t = m.security.signIn

/** The second step of signing in: a code from the app, or one of those kept for when it is gone. */
export function SignInCode({ onAgain }: { onAgain: () => void }) {
  const [kind, setKind] = useState<'app' | 'recovery'>('app')
  const [code, setCode] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const fromApp = kind === 'app'

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (!code.trim() || busy) return
    setBusy(true)
    setProblem(null)
    const result = await signInWithCode(fromApp ? code.replace(/\s/g, '') : code.trim(), kind)
    // Signed in: the page is led on by the session that is there now.
    if (result === 'ok') return
    setBusy(false)
    if (result === 'too_many') setProblem(m.entry.signIn.tooMany)
    else setProblem(result === 'unreachable' ? m.entry.signIn.unreachable : t.wrong)
  }

  return (
    <EntryCard title={t.codeTitle} intro={fromApp ? t.codeText : t.recoveryText}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-4" aria-label={t.codeTitle}>
        <Field label={fromApp ? t.code : t.recoveryCode} error={problem}>
          <Input
            key={kind}
            value={code}
            onChange={(event) => setCode(event.target.value)}
            inputMode={fromApp ? 'numeric' : 'text'}
            autoComplete={fromApp ? 'one-time-code' : 'off'}
            autoCapitalize="none"
            spellCheck={false}
            maxLength={32}
            autoFocus
            className="tnum font-mono"
          />
        </Field>
        <Button type="submit" variant="primary" size="lg" busy={busy} className="w-full">
          {m.entry.signIn.submit}
        </Button>
        <div className="flex flex-wrap justify-between gap-2">
          <Button
            variant="ghost"
            size="sm"
            onClick={() => {
              setKind(fromApp ? 'recovery' : 'app')
              setCode('')
              setProblem(null)
            }}
          >
            {fromApp ? t.useRecovery : t.useApp}
          </Button>
          <Button variant="ghost" size="sm" onClick={onAgain}>
            {t.again}
          </Button>
        </div>
        {fromApp ? null : (
          <div>
            <p className="mb-2 text-13 text-ink-3">{t.lost}</p>
            <CopyLine
              text={t.resetCommand}
              prompt="$"
              label={m.common.copy(t.resetCommand)}
              copiedLabel={m.common.copied}
            />
          </div>
        )}
      </form>
    </EntryCard>
  )
}
