'use client'
import { errorCode, errorMessage } from '../../data/errors.ts'
import { m } from '../../messages/index.ts'
import { Notice } from '../../ui/layout.tsx'

/** Stands where data should be, when the portal refused it. */
export function LoadError({ error }: { error: unknown }) {
  // Who is signed out is on the way to sign-in already.
  if (errorCode(error) === 'unauthorized') return null
  return (
    <Notice tone="bad" title={m.common.loadFailed}>
      {errorMessage(error, m.entry.signIn.unreachable)}
    </Notice>
  )
}
