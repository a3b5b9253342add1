'use client'
import { FileCode } from 'lucide-react'
import { useEffect, useState } from 'react'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { Field, Textarea } from '../../ui/field.tsx'
import { type UserDataProblem, userDataProblem } from './user-data.ts'

const t = m.create.userData
const example = '#cloud-config\npackages:\n  - nginx\nruncmd:\n  - systemctl enable --now nginx\n'

/** What is wrong with the text, in words; null while it is right or not yet looked at. */
export function useUserDataProblem(text: string): string | null {
  const [found, setFound] = useState<{ text: string; problem: UserDataProblem | null } | null>(null)
  useEffect(() => {
    let current = true
    void userDataProblem(text).then((problem) => current && setFound({ text, problem }))
    return () => {
      current = false
    }
  }, [text])
  const problem = found?.text === text ? found.problem : null
  if (!problem) return null
  if (problem.kind === 'yaml') return t.yaml(problem.line ?? 1, problem.detail ?? '')
  return t[problem.kind]
}

export function UserDataField({
  text,
  problem,
  onChange,
}: {
  text: string
  problem: string | null
  onChange: (text: string) => void
}) {
  return (
    <Field
      label={t.label}
      hint={t.hint}
      error={problem}
      aside={
        text ? null : (
          <Button
            variant="ghost"
            size="sm"
            className="-my-1 h-7!"
            icon={<FileCode aria-hidden="true" />}
            onClick={() => onChange(example)}
          >
            {t.example}
          </Button>
        )
      }
    >
      <Textarea
        value={text}
        onChange={(event) => onChange(event.target.value)}
        rows={Math.min(18, Math.max(6, text.split('\n').length + 1))}
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
        className="whitespace-pre font-mono text-13!"
      />
    </Field>
  )
}
