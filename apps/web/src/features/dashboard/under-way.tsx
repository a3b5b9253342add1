'use client'
import Link from 'next/link'
import type { ImageView, VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { ImageMark } from '../../ui/image-mark.tsx'
import { Card, Skeleton } from '../../ui/layout.tsx'
import { ProgressBar } from '../../ui/meter.tsx'
import { runningAction } from '../vms/vm-status.ts'

const t = m.dashboard

interface Work {
  key: string
  name: string
  href: string
  imageUid: string
  step: string
  progress: number
  label: string
}

/** What is being done: actions on VMs, and images on their way to a box. */
export function UnderWay({
  vms,
  images,
}: {
  vms: readonly VmView[] | undefined
  images: readonly ImageView[] | undefined
}) {
  const known = vms && images
  const work = known ? [...vms.flatMap(ofVm), ...images.flatMap(ofImage)] : []
  return (
    <Card title={t.running} flush>
      {!known ? (
        <div className="p-5">
          <Skeleton className="h-9" />
        </div>
      ) : work.length === 0 ? (
        <p className="px-5 py-4 text-13 text-ink-3">{t.nothingRunning}</p>
      ) : (
        <ul className="divide-y divide-line">
          {work.map(({ key, name, href, imageUid, step, progress, label }) => (
            <li key={key} className="relative flex items-center gap-3 px-5 py-3 hover:bg-raised/45">
              <ImageMark uid={imageUid} size="sm" />
              <div className="min-w-0 flex-1">
                <p className="flex items-baseline justify-between gap-3">
                  <Link
                    href={href}
                    className="truncate font-medium outline-offset-[-2px] after:absolute after:inset-0"
                  >
                    {name}
                  </Link>
                  <span className="tnum truncate text-13 text-ink-3">{step}</span>
                </p>
                <div className="mt-1.5">
                  <ProgressBar label={label} value={progress} thin />
                </div>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

function ofVm(vm: VmView): Work[] {
  const action = runningAction(vm)
  if (!action) return []
  return [
    {
      key: `vm-${vm.id}`,
      name: vm.name,
      href: paths.vm(vm.id),
      imageUid: vm.image.uid,
      step: action.step || m.vms.action.running[action.command],
      progress: action.progress,
      label: m.vms.action.progress(vm.name),
    },
  ]
}

function ofImage({ uid, name, status, step, progress }: ImageView): Work[] {
  if (status !== 'building') return []
  return [
    {
      key: `image-${uid}`,
      name,
      href: paths.images(),
      imageUid: uid,
      step: step || m.images.state.building,
      progress,
      label: m.images.progress(name),
    },
  ]
}
