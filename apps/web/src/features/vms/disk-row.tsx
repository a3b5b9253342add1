import { HardDrive } from 'lucide-react'
import type { ReactNode } from 'react'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { cx } from '../../ui/cx.ts'
import { Meter } from '../../ui/meter.tsx'

const t = m.disks

/** One disk: what a guest finds it by, how full it is, and what can be done with it. */
export function DiskRow({
  name,
  about,
  size,
  used,
  device,
  status,
  actions,
  roomy = false,
}: {
  name: string
  about: ReactNode
  size: number
  used: number | null
  device: string
  status?: ReactNode
  actions: ReactNode
  /** Place for three buttons beside each other. */
  roomy?: boolean
}) {
  return (
    <li
      className={cx(
        'grid grid-cols-1 items-center gap-x-6 gap-y-3 px-5 py-4',
        roomy
          ? 'lg:grid-cols-[minmax(0,1.4fr)_minmax(0,1fr)_18rem]'
          : 'sm:grid-cols-[minmax(0,1.6fr)_minmax(0,1fr)_8.5rem]',
      )}
    >
      <div className="flex min-w-0 items-center gap-3.5">
        <HardDrive className="size-5 shrink-0 text-ink-3" aria-hidden="true" />
        <div className="min-w-0">
          <p className="flex items-center gap-2">
            <span className="min-w-0 truncate font-medium">{name}</span>
            {status}
          </p>
          <p className="flex items-center gap-1 text-13 text-ink-3">
            <span className="min-w-0 truncate font-mono text-xs">{device}</span>
            <CopyButton
              text={device}
              label={m.common.copy(device)}
              copiedLabel={m.common.copied}
              className="-my-1"
            />
          </p>
          <p className="text-13 text-ink-3">{about}</p>
        </div>
      </div>
      <Meter
        label={t.used}
        value={used === null ? 0 : used / size}
        text={used === null ? bytes(size) : t.usedOf(bytes(used), bytes(size))}
      />
      <div className="flex flex-wrap items-center justify-end gap-2">{actions}</div>
    </li>
  )
}
