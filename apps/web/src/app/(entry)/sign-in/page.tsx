import { Suspense } from 'react'
import { SignIn } from '../../../features/entry/sign-in.tsx'
import { m } from '../../../messages/index.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.entry.signIn.pageTitle)

export default function Page() {
  return (
    <Suspense>
      <SignIn />
    </Suspense>
  )
}
