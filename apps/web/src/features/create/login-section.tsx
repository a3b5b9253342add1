'use client'
import { Plus, WandSparkles } from 'lucide-react'
import { useState } from 'react'
import type { ImageView, SshKeyView } from '../../data/hooks.ts'
import { generatePassword } from '../../lib/password.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Checkbox, CodeInput, Field, PasswordInput } from '../../ui/field.tsx'
import { Skeleton } from '../../ui/layout.tsx'
import { SshKeyCreate } from '../settings/ssh-key-create.tsx'
import type { Draft, DraftProblems } from './draft.ts'

const t = m.create

/** How the person gets in: by password at the console, by key over the network, or both. */
export function LoginSection({
  image,
  keys,
  draft,
  problems,
  change,
}: {
  image: ImageView | undefined
  keys: readonly SshKeyView[] | undefined
  draft: Draft
  problems: DraftProblems
  change: (part: Partial<Draft>) => void
}) {
  const [shown, setShown] = useState(false)
  const [adding, setAdding] = useState(false)
  if (image && !image.cloudInit) return <p className="text-ink-2">{t.loginNone}</p>
  return (
    <div className="grid grid-cols-1 gap-5 md:grid-cols-2">
      <div className="flex flex-col gap-4">
        <Field label={t.user} error={problems.user}>
          <CodeInput value={draft.user} onChange={(event) => change({ user: event.target.value })} />
        </Field>
        <Field
          label={t.password}
          error={problems.password}
          hint={t.passwordHint}
          aside={
            <span className="-my-1 flex items-center gap-0.5">
              {draft.password ? (
                <CopyButton text={draft.password} label={t.copyPassword} copiedLabel={m.common.copied} />
              ) : null}
              <Button
                variant="ghost"
                size="sm"
                className="h-7!"
                icon={<WandSparkles aria-hidden="true" />}
                onClick={() => {
                  change({ password: generatePassword() })
                  setShown(true)
                }}
              >
                {t.generate}
              </Button>
            </span>
          }
        >
          <PasswordInput
            value={draft.password}
            onChange={(event) => change({ password: event.target.value })}
            shown={shown}
            onShownChange={setShown}
            autoComplete="new-password"
            spellCheck={false}
            showLabel={m.common.showPassword}
            hideLabel={m.common.hidePassword}
          />
        </Field>
      </div>
      <fieldset className="min-w-0">
        <legend className="flex w-full items-center justify-between font-medium text-13">
          {t.keys}
          <Button
            variant="ghost"
            size="sm"
            className="-my-1 h-7!"
            icon={<Plus aria-hidden="true" />}
            onClick={() => setAdding(true)}
          >
            {t.addKey}
          </Button>
        </legend>
        <div className="mt-1.5 rounded-control border border-line bg-sunken">
          {keys === undefined ? (
            <div className="p-3">
              <Skeleton className="h-9" />
            </div>
          ) : keys.length === 0 ? (
            <p className="p-3 text-13 text-ink-3">{t.keysEmpty}</p>
          ) : (
            <ul className="max-h-44 divide-y divide-line overflow-y-auto">
              {keys.map((key) => (
                <li key={key.id} className="px-3 py-2">
                  <Checkbox
                    checked={draft.keyIds.includes(key.id)}
                    onChange={(event) =>
                      change({
                        keyIds: event.target.checked
                          ? [...draft.keyIds, key.id]
                          : draft.keyIds.filter((id) => id !== key.id),
                      })
                    }
                    label={key.name}
                    hint={<span className="block truncate font-mono text-2xs">{key.fingerprint}</span>}
                  />
                </li>
              ))}
            </ul>
          )}
        </div>
        <p className="mt-1.5 text-13 text-ink-3">{t.keysHint}</p>
      </fieldset>
      {adding ? (
        <SshKeyCreate
          onClose={() => setAdding(false)}
          onSaved={(key) => change({ keyIds: [...draft.keyIds, key.id] })}
        />
      ) : null}
    </div>
  )
}
