'use client'
import { useQuery } from '@tanstack/react-query'
import { Download, Pause, Play, SkipBack } from 'lucide-react'
import Link from 'next/link'
import { useRef } from 'react'
import { playerSpeeds } from '../../console/recording-player.ts'
import { errorCode } from '../../data/errors.ts'
import { useTRPC } from '../../data/trpc.ts'
import { dateTime } from '../../lib/format.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { BusyDots, IconButton } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { Notice, PageHeader } from '../../ui/layout.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { LoadError } from '../shell/load-error.tsx'
import { NotFound } from '../shell/not-found.tsx'
import { usePlayer } from './use-player.ts'

const t = m.recordings

/** `1:02:03`, `2:03`. */
function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** One recording, played on the page. */
export function RecordingPage({ recordingUid }: { recordingUid: string }) {
  const trpc = useTRPC()
  const { data, error } = useQuery(trpc.recording.get.queryOptions({ recordingUid }))
  const element = useRef<HTMLDivElement>(null)
  const { state, player, failed } = usePlayer(recordingUid, data?.kind, element)
  if (error && ['not_found', 'invalid_input'].includes(errorCode(error) ?? ''))
    return <NotFound title={t.notFound.title} text={t.notFound.text} />
  const { playing, position, duration, speed, seeking } = state
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-4">
      <PageHeader
        title={data ? t.of(data.vm.name) : t.one}
        description={data ? `${t.kinds[data.kind]} · ${dateTime(data.startedAt)} · ${data.startedBy}` : null}
        actions={
          <>
            <Link className={buttonClass('secondary', 'sm')} href={paths.recordings()}>
              {t.all}
            </Link>
            <a
              className={buttonClass('secondary', 'sm')}
              href={paths.recordingFile(recordingUid, true)}
              download
            >
              <Download aria-hidden="true" />
              {t.download}
            </a>
          </>
        }
      />
      {error && !data ? <LoadError error={error} /> : null}
      {failed ? <Notice tone="bad" title={t.failed} /> : null}
      <section
        aria-label={t.player}
        className="flex min-h-[24rem] flex-1 flex-col overflow-hidden rounded-card border border-line bg-terminal shadow-card"
      >
        <div className="relative min-h-0 flex-1">
          <div ref={element} className="absolute inset-0 overflow-hidden" />
          {seeking ? (
            <span
              role="status"
              className="absolute top-3 right-3 rounded-full bg-black/60 px-3 py-1.5 text-white text-xs"
            >
              <BusyDots /> {t.seeking}
            </span>
          ) : null}
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: a row of buttons is no fieldset */}
        <div
          role="group"
          aria-label={t.controls}
          className="flex flex-wrap items-center gap-2 border-line border-t bg-sunken px-3 py-2"
        >
          <IconButton
            label={playing ? t.pause : t.play}
            onClick={() => (playing ? player?.pause() : player?.play())}
          >
            {playing ? <Pause /> : <Play />}
          </IconButton>
          <IconButton label={t.toStart} onClick={() => player?.seek(0)}>
            <SkipBack />
          </IconButton>
          <span className="tnum w-28 shrink-0 text-center text-13 text-ink-2">
            {clock(position)} / {clock(duration)}
          </span>
          <input
            type="range"
            aria-label={t.position}
            aria-valuetext={clock(position)}
            min={0}
            max={Math.max(1, Math.round(duration))}
            step={100}
            value={Math.round(position)}
            onChange={(event) => player?.seek(Number(event.target.value))}
            className="min-w-32 flex-1 accent-ember-solid"
          />
          <Segmented
            label={t.speed}
            value={String(speed)}
            options={playerSpeeds.map((each) => ({ value: String(each), label: `${each}×` }))}
            onChange={(value) => player?.setSpeed(Number(value))}
          />
        </div>
      </section>
    </div>
  )
}
