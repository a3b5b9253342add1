'use client'
import { m } from '../../messages/index.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/layout.tsx'
import { HearthMark } from '../../ui/logo.tsx'

export function PageError({ error, retry }: { error: Error; retry: (() => void) | undefined }) {
  return (
    <div className="grid min-h-[70dvh] place-items-center">
      <EmptyState
        art={<HearthMark lit={false} className="size-14 text-ink-3" />}
        title={m.common.crashed.title}
        action={
          <div className="flex flex-wrap justify-center gap-2">
            {retry ? (
              <Button variant="primary" onClick={retry}>
                {m.common.tryAgain}
              </Button>
            ) : null}
            <Button onClick={() => window.location.reload()}>{m.common.crashed.reload}</Button>
          </div>
        }
      >
        {m.common.crashed.text}
        <details className="mt-4 text-left text-13">
          <summary className="text-center text-ink-3">{m.common.crashed.details}</summary>
          <pre className="mt-2 overflow-x-auto rounded-control bg-sunken p-3 font-mono text-xs">
            {error.message}
          </pre>
        </details>
      </EmptyState>
    </div>
  )
}
