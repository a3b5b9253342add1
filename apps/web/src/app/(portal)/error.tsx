'use client'
import { PageError } from '../../features/shell/page-error.tsx'

export default function ErrorPage({ error, retry }: { error: Error; retry?: () => void }) {
  return <PageError error={error} retry={retry} />
}
