'use client'
import { m } from '../messages/index.ts'
import './globals.css'

export default function GlobalError({ error }: { error: Error }) {
  return (
    <html lang="en">
      <body className="grid min-h-dvh place-items-center p-6 text-center">
        <title>{m.common.crashed.title}</title>
        <div>
          <h1 className="font-semibold text-lg">{m.common.crashed.title}</h1>
          <p className="mt-1 text-ink-2">{m.common.crashed.text}</p>
          <p className="mt-4">
            <button type="button" className="font-medium text-ember" onClick={() => window.location.reload()}>
              {m.common.crashed.reload}
            </button>
          </p>
          <pre className="mt-4 overflow-x-auto font-mono text-ink-3 text-xs">{error.message}</pre>
        </div>
      </body>
    </html>
  )
}
