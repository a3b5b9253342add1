'use client'
import { useMutation } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { errorMessage } from '../../data/errors.ts'
import { type HostView, useHosts, useImages, useLiveData } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button } from '../../ui/button.tsx'
import { cx } from '../../ui/cx.ts'
import { Checkbox } from '../../ui/field.tsx'
import { ImageMark } from '../../ui/image-mark.tsx'
import { Notice, Skeleton } from '../../ui/layout.tsx'
import { ProgressBar } from '../../ui/meter.tsx'
import { imageDescription } from '../images/image-description.ts'
import { byReadiness, firstImages } from '../images/image-order.ts'
import { useSignedIn } from '../shell/app-shell.tsx'
import { EntryCard } from './entry-card.tsx'

const t = m.welcome
const steps = 3

/** What follows the first administrator: the network, a first image. Both can be left for later. */
export function Welcome() {
  const session = useSignedIn()
  const [step, setStep] = useState<'network' | 'image'>('network')
  if (!session) return null
  return (
    <>
      <Live />
      {step === 'network' ? <NetworkStep onNext={() => setStep('image')} /> : <ImageStep />}
    </>
  )
}

function Live() {
  const router = useRouter()
  useLiveData(() => router.replace(paths.signIn()))
  return null
}

const networks = ['nat', 'passt'] as const

function NetworkStep({ onNext }: { onNext: () => void }) {
  const { hosts, error } = useHosts()
  const known = hosts !== undefined || error !== null
  const host = hosts?.[0]
  const offered = host?.info?.network
  return (
    <EntryCard title={t.network.title} intro={t.network.intro} wide>
      <p className="-mt-3 mb-4 text-13 text-ink-3">{t.step(2, steps)}</p>
      {offered ? (
        <fieldset className="flex flex-col gap-3">
          <legend className="sr-only">{t.network.title}</legend>
          {networks.map((network) => {
            const texts = t.network.options[network]
            const chosen = network === offered
            return (
              <label
                key={network}
                className={cx(
                  'flex items-start gap-3 rounded-card border p-4',
                  chosen ? 'border-ember bg-ember-soft/50' : 'border-line text-ink-3',
                )}
              >
                <input
                  type="radio"
                  name="network"
                  className="mt-1"
                  checked={chosen}
                  readOnly
                  aria-disabled={!chosen}
                  onChange={() => undefined}
                />
                <span>
                  <span className="block font-medium">{texts?.title}</span>
                  <span className="block text-13">{texts?.text}</span>
                  {chosen ? null : <span className="mt-1 block text-13">{texts?.why}</span>}
                </span>
              </label>
            )
          })}
          {host && offered === 'nat' ? <Bridges host={host} /> : null}
        </fieldset>
      ) : known ? (
        <p role="status" className="text-ink-2">
          {t.network.waiting}
        </p>
      ) : (
        <Skeleton className="h-64" />
      )}
      {/* Not before what is above it, which would push it away from under a pointer. */}
      {known ? (
        <Button variant="primary" size="lg" className="mt-6 w-full" onClick={onNext}>
          {t.next}
        </Button>
      ) : null}
    </EntryCard>
  )
}

/** Beside it: networks of the box that VMs may be members of. */
function Bridges({ host }: { host: HostView }) {
  const set = useMutation(useTRPC().host.setBridges.mutationOptions())
  const open = set.isPending ? set.variables.bridges : host.bridges
  const texts = t.network.bridge
  const names = host.info?.bridges ?? []
  return (
    <div className="rounded-card border border-line p-4">
      <p className="font-medium">{texts.title}</p>
      <p className="text-13 text-ink-2">{names.length === 0 ? texts.none : texts.text}</p>
      {names.length === 0 ? null : (
        <div className="mt-3 flex flex-col gap-2">
          {names.map((name) => (
            <Checkbox
              key={name}
              label={m.bridges.open(name)}
              checked={open.includes(name)}
              onChange={(event) =>
                set.mutate({
                  id: host.id,
                  bridges: event.target.checked ? [...open, name] : open.filter((other) => other !== name),
                })
              }
            />
          ))}
        </div>
      )}
      {set.error ? <Notice tone="bad" title={errorMessage(set.error, m.entry.signIn.unreachable)} /> : null}
    </div>
  )
}

function ImageStep() {
  const router = useRouter()
  const { images, error } = useImages()
  const build = useMutation(useTRPC().image.build.mutationOptions())
  const [all, setAll] = useState(false)
  // In one order from when the page opened: nothing jumps away while an image is prepared.
  const [order, setOrder] = useState<readonly string[] | null>(null)
  if (images && order === null) setOrder(byReadiness(images).map(({ uid }) => uid))
  const sorted = (order ?? []).flatMap((uid) => images?.find((image) => image.uid === uid) ?? [])
  const shown = all ? sorted : sorted.slice(0, firstImages)
  return (
    <EntryCard title={t.image.title} intro={t.image.intro} wide>
      <p className="-mt-3 mb-4 text-13 text-ink-3">{t.step(3, steps)}</p>
      {build.error ? (
        <Notice tone="bad" title={errorMessage(build.error, m.entry.signIn.unreachable)} />
      ) : null}
      {images ? (
        <ul className="mt-2 divide-y divide-line">
          {shown.map((image) => (
            <li key={image.uid} className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3">
              <ImageMark uid={image.uid} />
              <div className="min-w-0 flex-1 basis-40">
                <p className="font-medium">{image.name}</p>
                <p className="line-clamp-2 text-13 text-ink-3 leading-4.5">{imageDescription(image)}</p>
              </div>
              {image.status === 'ready' ? (
                <span className="text-13 text-ok">{t.image.ready}</span>
              ) : image.status === 'building' ? (
                <div className="basis-full" role="status">
                  <ProgressBar label={m.images.progress(image.name)} value={image.progress} />
                  <p className="mt-1.5 text-13 text-ink-2">{t.image.building(image.name)}</p>
                </div>
              ) : (
                <Button
                  size="sm"
                  busy={build.isPending && build.variables.imageUid === image.uid}
                  onClick={() => build.mutate({ imageUid: image.uid })}
                  aria-label={t.image.buildOf(image.name)}
                >
                  {t.image.build}
                </Button>
              )}
            </li>
          ))}
        </ul>
      ) : (
        <Skeleton className="h-32" />
      )}
      {images && shown.length < images.length ? (
        <Button variant="ghost" size="sm" className="mt-2" onClick={() => setAll(true)}>
          {m.create.allImages(images.length)}
        </Button>
      ) : null}
      {images || error ? (
        <Button
          variant="primary"
          size="lg"
          className="mt-6 w-full"
          onClick={() => router.replace(paths.home())}
        >
          {t.image.finish}
        </Button>
      ) : null}
    </EntryCard>
  )
}
