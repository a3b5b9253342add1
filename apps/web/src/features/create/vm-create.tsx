'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ChevronRight, Dices } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { errorMessage, fieldErrors } from '../../data/errors.ts'
import { type ImageView, useAllVms, useHosts, useImages, useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { bytes } from '../../lib/format.ts'
import { intentKey } from '../../lib/key.ts'
import { paths } from '../../lib/paths.ts'
import { proposeName } from '../../lib/propose-name.ts'
import { m } from '../../messages/index.ts'
import { IconButton } from '../../ui/button.tsx'
import { Checkbox, Field, Input, InputWithUnit, Select } from '../../ui/field.tsx'
import { PageHeader } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'
import { RefusalNotice } from '../projects/quota-refusal.tsx'
import { useCreateProject } from './create-project.ts'
import { CreateQuota } from './create-quota.tsx'
import { CreateSummary, type SubmitState } from './create-summary.tsx'
import {
  type Draft,
  type DraftField,
  type DraftWorld,
  draftProblems,
  figures,
  sizeProblem,
  toInput,
} from './draft.ts'
import { ImagePicker } from './image-picker.tsx'
import { LoginSection } from './login-section.tsx'
import { SizePicker } from './size-picker.tsx'

const t = m.create

/** A login name from a person's: "Ada Lovelace" signs in as `ada`. */
function loginFrom(name: string | undefined): string {
  const first = (name ?? '')
    .trim()
    .split(/\s+/)[0]!
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
  return /^[a-z_]/.test(first) && first !== 'root' ? first.slice(0, 32) : ''
}

const blank: Draft = {
  imageUid: null,
  size: 'small',
  cpus: '2',
  memory: '2',
  disk: '',
  name: '',
  user: '',
  password: '',
  keyIds: [],
  startAtBoot: true,
}

export function VmCreate() {
  const router = useRouter()
  const trpc = useTRPC()
  const queries = useQueryClient()
  const { session } = useSession()
  const { vms } = useAllVms()
  const { project, projects, choose } = useCreateProject()
  const { hosts } = useHosts()
  const { images } = useImages()
  const sizes = useQuery(trpc.size.list.queryOptions()).data
  const keys = useQuery(trpc.sshKey.list.queryOptions()).data?.filter(
    (key) => !project || key.projectId === project.id,
  )
  const create = useMutation(trpc.vm.create.mutationOptions())
  const build = useMutation(
    trpc.image.build.mutationOptions({
      onError(error) {
        setWaiting(false)
        toast.error(m.common.failed, errorMessage(error, m.entry.signIn.unreachable))
      },
    }),
  )

  const [typed, setTyped] = useState<Partial<Draft>>({})
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const [tried, setTried] = useState(false)
  /** Create by itself as soon as the chosen image is ready. */
  const [waiting, setWaiting] = useState(false)
  const intent = useRef(intentKey())
  const taken = new Set(
    (vms ?? []).filter((vm) => !project || vm.project.id === project.id).map((vm) => vm.name),
  )

  // The first proposal waits for the list, so that it is a free name; the server's render has none.
  const [proposed, setProposed] = useState('')
  const known = vms !== undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies: proposed once, not again whenever the list changes
  useEffect(() => {
    if (known) setProposed((was) => was || proposeName(taken))
  }, [known])
  const [fromLink, setFromLink] = useState<string | null>(null)
  useEffect(() => setFromLink(new URLSearchParams(window.location.search).get('image')), [])

  const firstReady =
    images?.find((image) => image.uid === fromLink) ?? images?.find((image) => image.status === 'ready')
  const imageUid = typed.imageUid ?? firstReady?.uid ?? images?.[0]?.uid ?? null
  const image = images?.find((each) => each.uid === imageUid)
  const firstSize =
    sizes?.find((size) => sizeProblem(size, image) === null)?.name ?? (sizes ? 'custom' : 'small')
  const draft: Draft = {
    ...blank,
    name: proposed,
    user: loginFrom(session?.user?.name) || image?.loginUser || '',
    keyIds: keys?.map((key) => key.id) ?? [],
    size: firstSize,
    ...typed,
    imageUid,
  }
  const host = hosts?.[0]
  const world: DraftWorld = {
    image,
    sizes: sizes ?? [],
    host,
    takenNames: taken,
    keys: new Map((keys ?? []).map((key) => [key.id, key.publicKey])),
  }
  const refused = create.error ? fieldErrors(create.error) : {}
  const problems = draftProblems(draft, world)
  const shown = (field: DraftField, wire: string = field) =>
    (tried || touched.has(field) ? problems[field] : undefined) ?? refused[wire]
  const shownProblems = {
    cpus: shown('cpus'),
    memory: shown('memory', 'memoryBytes'),
    disk: shown('disk', 'diskBytes'),
    user: shown('user'),
    password: shown('password'),
  }

  function change(part: Partial<Draft>) {
    setTyped((was) => ({ ...was, ...part }))
    setTouched((was) => new Set([...was, ...Object.keys(part)]))
    intent.current = intentKey()
    if (create.error) create.reset()
  }

  const admin = session?.user?.role === 'admin'
  const buildWhy = !admin ? m.images.makeWhy : host && !host.online ? t.why.hostAway : null
  function startBuild(which: ImageView) {
    build.mutate({ imageUid: which.uid })
  }

  function send() {
    const input = toInput(draft, world, intent.current)
    if (!input || create.isPending) return
    create.mutate(project ? { ...input, projectId: project.id } : input, {
      onSuccess: (change) => {
        queries.setQueryData(trpc.vm.list.queryKey(), (list) =>
          list && !list.some((vm) => vm.id === change.vm.id) ? [...list, change.vm] : list,
        )
        router.push(paths.vm(change.vm.id))
      },
    })
  }

  const status = image?.status
  const lastStatus = useRef(status)
  // biome-ignore lint/correctness/useExhaustiveDependencies: goes by the image's state alone; the draft is locked while waiting
  useEffect(() => {
    const before = lastStatus.current
    lastStatus.current = status
    if (!waiting) return
    if (status === 'ready') {
      setWaiting(false)
      send()
    } else if (status === 'failed' && before === 'building') setWaiting(false)
  }, [waiting, status])

  function submit(event: FormEvent) {
    event.preventDefault()
    if (waiting || state.why) return
    setTried(true)
    if (Object.keys(problems).length > 0) {
      requestAnimationFrame(() =>
        document.querySelector<HTMLElement>('#vm-create [aria-invalid="true"]')?.focus(),
      )
      return
    }
    if (status === 'ready') send()
    else {
      setWaiting(true)
      if (status !== 'building' && image) startBuild(image)
    }
  }

  const state = submitState()
  function submitState(): SubmitState {
    const hostAway = host !== undefined && !host.online
    if (!images || !sizes || !hosts || !vms) return { label: t.submit, why: t.why.loading }
    if (session && !project) return { label: t.submit, why: t.noProject }
    if (!image) return { label: t.submit, why: t.why.noImage }
    if (hostAway) return { label: t.submit, why: t.why.hostAway }
    if (problems.login) return { label: t.submit, why: problems.login }
    if (tried && Object.keys(problems).length > 0) return { label: t.submit, why: t.why.fix }
    if (image.status === 'ready') return { label: t.submit, why: null }
    if (image.status === 'building') return { label: t.waitingForImage, why: null }
    if (!admin) return { label: t.submit, why: `${t.why.imageAbsent(image.name)} ${t.card.askAdmin}` }
    return { label: t.buildAndCreate, why: null }
  }

  const shape = figures(draft, world)
  return (
    <form id="vm-create" onSubmit={submit} noValidate aria-label={t.title} className="flex flex-col gap-5">
      <PageHeader title={t.title} />
      <div className="grid grid-cols-1 items-start gap-6 xl:grid-cols-[minmax(0,1fr)_19rem]">
        <fieldset disabled={waiting || create.isPending} className="min-w-0">
          <div className="card min-w-0 divide-y divide-line">
            <Step title={t.image} hint={t.imageHint}>
              <ImagePicker
                images={images}
                chosen={imageUid}
                onChoose={(uid) => change({ imageUid: uid })}
                onBuild={startBuild}
                buildWhy={buildWhy}
                buildPending={build.isPending ? build.variables.imageUid : null}
              />
            </Step>
            <Step title={t.size} hint={t.sizeHint}>
              <SizePicker
                sizes={sizes}
                problemOf={(size) => sizeProblem(size, image)}
                withDisk={image?.minDiskBytes !== 0}
                draft={draft}
                problems={shownProblems}
                maxCpus={host?.info?.cpus}
                change={change}
              />
            </Step>
            {projects.length > 1 ? (
              <Step title={m.projects.switcher.label} hint={m.create.projectHint}>
                <Field label={m.projects.switcher.label} labelHidden>
                  <Select
                    className="max-w-md"
                    value={project?.id ?? ''}
                    onChange={(event) => {
                      choose(Number(event.target.value))
                      change({})
                    }}
                  >
                    {projects.map(({ id, name }) => (
                      <option key={id} value={id}>
                        {name}
                      </option>
                    ))}
                  </Select>
                </Field>
              </Step>
            ) : null}
            <Step title={t.name} hint={t.nameHint}>
              <Field label={t.name} labelHidden error={shown('name')}>
                <span className="flex max-w-md items-center gap-2">
                  <Input
                    value={draft.name}
                    onChange={(event) => change({ name: event.target.value })}
                    autoComplete="off"
                    autoCapitalize="none"
                    spellCheck={false}
                    maxLength={63}
                    className="font-mono"
                  />
                  <IconButton
                    variant="secondary"
                    size="md"
                    label={t.reroll}
                    onClick={() => change({ name: proposeName(new Set([...taken, draft.name])) })}
                  >
                    <Dices />
                  </IconButton>
                </span>
              </Field>
            </Step>
            <Step title={t.login} hint={t.loginHint}>
              <LoginSection
                image={image}
                keys={keys}
                draft={draft}
                problems={shownProblems}
                change={change}
              />
            </Step>
            <details className="group px-5 py-4 sm:px-6" open={shownProblems.disk ? true : undefined}>
              <summary className="-mx-2 inline-flex items-center gap-1.5 rounded-control px-2 py-1 font-medium text-13 text-ink-2 hover:text-ink">
                <ChevronRight
                  className="size-3.5 transition-transform group-open:rotate-90"
                  aria-hidden="true"
                />
                {t.options}
              </summary>
              <div className="mt-4 grid grid-cols-1 gap-5 pb-2 sm:grid-cols-2">
                {shape.diskBytes === null ? null : (
                  <Field
                    label={t.diskSize}
                    error={shownProblems.disk}
                    hint={host?.info ? t.limits.diskMax(bytes(host.info.diskAvailableBytes)) : undefined}
                  >
                    <InputWithUnit
                      unit={t.unitGib}
                      inputMode="decimal"
                      value={draft.disk}
                      placeholder={shape.diskBytes ? String(shape.diskBytes / 2 ** 30) : ''}
                      onChange={(event) => change({ disk: event.target.value })}
                    />
                  </Field>
                )}
                <Checkbox
                  checked={draft.startAtBoot}
                  onChange={(event) => change({ startAtBoot: event.target.checked })}
                  label={t.startAtBoot}
                  hint={t.startAtBootHint}
                />
              </div>
            </details>
          </div>
        </fieldset>
        <CreateSummary
          draft={draft}
          image={image}
          shape={shape}
          quota={project ? <CreateQuota project={project} shape={shape} /> : null}
          state={state}
          busy={create.isPending}
          waiting={waiting}
          onStopWaiting={() => setWaiting(false)}
          notice={
            create.error && Object.keys(refused).length === 0 ? <RefusalNotice error={create.error} /> : null
          }
        />
      </div>
    </form>
  )
}

function Step({ title, hint, children }: { title: string; hint: string; children: ReactNode }) {
  return (
    <section className="p-5 sm:px-6" aria-label={title}>
      <div className="mb-3.5 flex flex-wrap items-baseline gap-x-3">
        <h2 className="font-semibold text-[0.9375rem]">{title}</h2>
        <p className="text-13 text-ink-3">{hint}</p>
      </div>
      {children}
    </section>
  )
}
