'use client'
import type { ReactNode } from 'react'
import type { ImageView } from '../../data/hooks.ts'
import { bytes } from '../../lib/format.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { ImageMark } from '../../ui/image-mark.tsx'
import { type Draft, type Figures, namesOf } from './draft.ts'

const t = m.create

export interface SubmitState {
  label: string
  /** Why it cannot be pressed now. */
  why: string | null
}

/** What will be made, in one look, with the button; a bar above the navigation on a small screen. */
export function CreateSummary({
  draft,
  image,
  shape,
  state,
  busy,
  notice,
  quota,
  api,
}: {
  draft: Draft
  image: ImageView | undefined
  shape: Figures
  state: SubmitState
  busy: boolean
  notice: ReactNode
  /** Gauges of the quota, with what this would add. */
  quota: ReactNode
  /** The same as a call of the API; null while something is missing. */
  api: string | null
}) {
  const size = [
    shape.cpus ? m.vms.vcpus(shape.cpus) : null,
    shape.memoryBytes ? m.vms.memory(bytes(shape.memoryBytes)) : null,
    shape.diskBytes ? m.vms.disk(bytes(shape.diskBytes)) : null,
  ].filter(Boolean)
  const access = image?.cloudInit
    ? [
        draft.password ? t.summary.password : null,
        draft.keyIds.length > 0 ? t.summary.keys(draft.keyIds.length) : null,
      ]
        .filter(Boolean)
        .join(' + ') || t.summary.none
    : t.summary.automatic
  return (
    <aside
      aria-label={t.summary.title}
      className="sticky bottom-14 z-20 -mx-4 border-line border-t bg-surface/95 px-4 py-3 backdrop-blur sm:-mx-6 sm:px-6 md:bottom-0 md:-mx-8 md:px-8 xl:top-7 xl:bottom-auto xl:mx-0 xl:rounded-card xl:border xl:bg-surface xl:p-0 xl:shadow-card"
    >
      <div className="hidden items-center gap-3 border-line border-b p-5 xl:flex">
        <ImageMark uid={image?.uid ?? ''} />
        <div className="min-w-0">
          <p className="truncate font-mono text-13">{namesOf(draft).slice(0, 3).join(', ') || '…'}</p>
          <p className="truncate text-13 text-ink-3">{image?.name ?? '…'}</p>
        </div>
      </div>
      <dl className="hidden flex-col gap-2.5 p-5 text-13 xl:flex">
        <Line label={t.summary.size}>
          {size.map((part) => (
            <span key={part} className="block">
              {part}
            </span>
          ))}
        </Line>
        {image?.cloudInit ? <Line label={t.user}>{draft.user || '…'}</Line> : null}
        <Line label={t.summary.access}>{access}</Line>
      </dl>
      {quota ? <div className="hidden border-line border-t p-5 xl:block">{quota}</div> : null}
      <div className="flex flex-col gap-3 xl:border-line xl:border-t xl:p-5">
        {notice}
        {image && image.status !== 'ready' && state.why === null ? (
          <p className="hidden text-13 text-ink-2 xl:block">
            {image.status === 'building'
              ? t.imageFirst.building(image.name)
              : image.source === 'download'
                ? t.imageFirst.download(image.name)
                : t.imageFirst.build(image.name)}
          </p>
        ) : null}
        <div className="flex items-center gap-3 xl:flex-col xl:items-stretch">
          <div className="tnum min-w-0 flex-1 text-13 text-ink-2 xl:hidden">
            <span className="block truncate font-medium text-ink">{draft.name}</span>
            <span className="block truncate">{[image?.name, ...size].filter(Boolean).join(' · ')}</span>
          </div>
          <Button type="submit" variant="primary" size="lg" busy={busy} whyDisabled={state.why}>
            {state.label}
          </Button>
        </div>
        {state.why ? (
          <p className="text-13 text-ink-3 xl:text-center" aria-live="polite">
            {state.why}
          </p>
        ) : null}
      </div>
      {api ? <ApiCall text={api} /> : null}
    </aside>
  )
}

function ApiCall({ text }: { text: string }) {
  return (
    <details className="hidden border-line border-t xl:block">
      <summary className="px-5 py-3 font-medium text-13 text-ink-2 outline-offset-[-3px] hover:text-ink">
        {t.api.title}
      </summary>
      <div className="relative px-5 pb-5">
        <p className="mb-2 text-13 text-ink-3">{t.api.text}</p>
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard must be able to
          tabIndex={0}
          className="max-h-64 overflow-auto rounded-control border border-line bg-sunken p-3 pr-10 font-mono text-2xs leading-4.5"
        >
          {text}
        </pre>
        <CopyButton
          text={text}
          label={m.common.copy(t.api.title)}
          copiedLabel={m.common.copied}
          className="absolute! right-6 bottom-6.5 bg-sunken!"
        />
      </div>
    </details>
  )
}

function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-ink-3">{label}</dt>
      <dd className="tnum min-w-0 text-right">{children}</dd>
    </div>
  )
}
