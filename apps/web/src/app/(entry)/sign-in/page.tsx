import type { Metadata } from 'next'
import { Suspense } from 'react'
import { SignIn } from '../../../features/entry/sign-in.tsx'
import { m } from '../../../messages/index.ts'

export const metadata: Metadata = { title: m.entry.signIn.pageTitle }

export default function Page() {
  return (
    <Suspense>
      <SignIn />
    </Suspense>
  )
}
