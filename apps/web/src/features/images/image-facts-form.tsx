'use client'
import { useState } from 'react'
import { useSession } from '../../data/hooks.ts'
import { m } from '../../messages/all.ts'
import { Checkbox, Field, Input, Select } from '../../ui/field.tsx'

const t = m.imageForms

export interface ImageFactsDraft {
  name: string
  description: string
  visibility: 'home' | 'project'
  cloudInit: boolean
  loginUser: string
}

/** What every image of one's own is asked for; `set` changes single answers. */
export function useImageFacts() {
  const [draft, setDraft] = useState<ImageFactsDraft>({
    ...{ name: '', description: '', visibility: 'project', cloudInit: true, loginUser: '' },
  })
  return { draft, set: (change: Partial<ImageFactsDraft>) => setDraft((old) => ({ ...old, ...change })) }
}

/** What is missing, by field; empty when it can be sent. */
export function missingFacts(draft: ImageFactsDraft, withLogin: boolean): Record<string, string> {
  return {
    ...(draft.name.trim() ? {} : { name: t.nameMissing }),
    ...(withLogin && draft.cloudInit && !draft.loginUser.trim() ? { loginUser: t.loginUserMissing } : {}),
  }
}

export function factsInput(draft: ImageFactsDraft) {
  return {
    ...{ name: draft.name.trim(), description: draft.description.trim(), visibility: draft.visibility },
    ...{ cloudInit: draft.cloudInit, loginUser: draft.cloudInit ? draft.loginUser.trim() : null },
  }
}

export function ImageFactsFields({
  draft,
  set,
  errors,
  withLogin,
}: {
  draft: ImageFactsDraft
  set: (change: Partial<ImageFactsDraft>) => void
  errors: Readonly<Record<string, string>>
  /** An image made from a VM has the VM's. */
  withLogin: boolean
}) {
  const { session } = useSession()
  const isAdmin = session?.user?.role === 'admin'
  return (
    <>
      <Field label={t.name} error={errors.name}>
        <Input
          value={draft.name}
          onChange={(event) => set({ name: event.target.value })}
          placeholder={t.namePlaceholder}
          maxLength={63}
          autoComplete="off"
        />
      </Field>
      <Field label={t.description} error={errors.description}>
        <Input
          value={draft.description}
          onChange={(event) => set({ description: event.target.value })}
          maxLength={500}
          autoComplete="off"
        />
      </Field>
      <Field label={t.visibility} error={errors.visibility} hint={isAdmin ? undefined : t.visibilityWhy}>
        <Select
          value={draft.visibility}
          onChange={(event) => set({ visibility: event.target.value === 'home' ? 'home' : 'project' })}
        >
          <option value="project">{t.visibilities.project}</option>
          <option value="home" disabled={!isAdmin}>
            {t.visibilities.home}
          </option>
        </Select>
      </Field>
      {withLogin ? (
        <>
          <Checkbox
            label={t.cloudInit}
            hint={t.cloudInitHint}
            checked={draft.cloudInit}
            onChange={(event) => set({ cloudInit: event.target.checked })}
          />
          {draft.cloudInit ? (
            <Field label={t.loginUser} hint={t.loginUserHint} error={errors.loginUser}>
              <Input
                value={draft.loginUser}
                onChange={(event) => set({ loginUser: event.target.value })}
                placeholder="debian"
                maxLength={32}
                autoCapitalize="none"
                autoComplete="off"
                spellCheck={false}
              />
            </Field>
          ) : null}
        </>
      ) : null}
    </>
  )
}

/** What the file must be; empty: whatever comes is taken. */
export function ChecksumField({
  value,
  onChange,
  error,
}: {
  value: string
  onChange: (text: string) => void
  error: string | undefined
}) {
  return (
    <Field label={t.checksum} hint={t.checksumHint} error={error}>
      <Input
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="font-mono"
        autoComplete="off"
        spellCheck={false}
      />
    </Field>
  )
}
