'use client'
import type { ImageView } from '../../data/hooks.ts'
import { bytes, duration } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { ProgressBar } from '../../ui/meter.tsx'

const t = m.images

/** `120 MiB of 560 MiB · 11 MiB/s · 40s left`: what is known of it. */
export function transferText(transfer: NonNullable<ImageView['transfer']>): string {
  const { bytes: done, totalBytes, bytesPerSecond } = transfer
  const left =
    totalBytes !== null && bytesPerSecond > 0 ? ((totalBytes - done) / bytesPerSecond) * 1000 : null
  return [
    totalBytes === null ? bytes(done) : t.transfer.of(bytes(done), bytes(totalBytes)),
    bytesPerSecond > 0 ? t.transfer.speed(bytes(bytesPerSecond)) : null,
    left !== null && left >= 1000 ? t.transfer.left(duration(left)) : null,
  ]
    .filter(Boolean)
    .join(' · ')
}

/** How far an image is that is being built, fetched, converted or copied. */
export function ImageProgress({ image }: { image: ImageView }) {
  return (
    <div className="w-full min-w-0">
      <ProgressBar label={t.progress(image.name)} value={image.progress} />
      <p className="mt-1.5 flex justify-between gap-3 text-13 text-ink-2">
        <span className="truncate" role="status">
          {image.step || t.state.building}
        </span>
        <span className="tnum whitespace-nowrap">{image.progress} %</span>
      </p>
      {image.transfer ? (
        <p className="tnum truncate text-13 text-ink-3">{transferText(image.transfer)}</p>
      ) : null}
    </div>
  )
}
