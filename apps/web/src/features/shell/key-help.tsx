'use client'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { useKeys } from '../../lib/keys.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Kbd } from '../../ui/layout.tsx'

/** The keys of every page, and the list of them under `?`. */
export function KeyHelp() {
  const router = useRouter()
  const [open, setOpen] = useState(false)
  const t = m.common.keys
  const go = (href: string) => () => router.push(href)
  const keys: { keys: string; text: string; act: () => void }[] = [
    { keys: 'g d', text: m.common.nav.dashboard, act: go(paths.home()) },
    { keys: 'g v', text: m.common.nav.vms, act: go(paths.vms()) },
    { keys: 'g i', text: m.common.nav.images, act: go(paths.images()) },
    { keys: 'g a', text: m.common.nav.activity, act: go(paths.activity()) },
    { keys: 'g p', text: m.common.nav.projects, act: go(paths.projects()) },
    { keys: 'g s', text: m.common.nav.settings, act: go(paths.settings()) },
    { keys: 'c', text: m.vms.create, act: go(paths.vmNew()) },
    { keys: '?', text: t.help, act: () => setOpen(true) },
  ]
  useKeys(Object.fromEntries(keys.map((key) => [key.keys, key.act])))
  const rows = [
    { keys: ['Ctrl', 'K'], text: m.common.palette.label },
    ...keys.map((key) => ({ keys: key.keys.split(' '), text: key.text })),
    { keys: ['/'], text: t.search },
    { keys: ['Shift', t.click], text: t.range },
    { keys: ['Esc'], text: m.common.close },
  ]
  return (
    <Dialog open={open} wide onClose={() => setOpen(false)} title={t.title} closeLabel={m.common.close}>
      <dl className="grid grid-cols-1 gap-x-8 sm:grid-cols-2">
        {rows.map((row) => (
          <div
            key={row.keys.join()}
            className="flex min-h-9 items-center justify-between gap-4 border-line border-b py-1"
          >
            <dt className="min-w-0 text-13 text-ink-2">{row.text}</dt>
            <dd className="flex shrink-0 gap-1">
              {row.keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
