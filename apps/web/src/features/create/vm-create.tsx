'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Dices } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type FormEvent, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { fieldErrors } from '../../data/errors.ts'
import { type ImageView, useAllVms, useHosts, useImages, useSession } from '../../data/hooks.ts'
import { useTRPC } from '../../data/trpc.ts'
import { intentKey } from '../../lib/key.ts'
import { paths } from '../../lib/paths.ts'
import { proposeName } from '../../lib/propose-name.ts'
import { m } from '../../messages/all.ts'
import { IconButton } from '../../ui/button.tsx'
import { CodeInput, Field, Select } from '../../ui/field.tsx'
import { Fold } from '../../ui/fold.tsx'
import { PageHeader, Skeleton } from '../../ui/layout.tsx'
import { type KeyboardLayout, layoutOfLanguages } from '../console/keyboard-layout.ts'
import { RefusalNotice } from '../projects/quota-refusal.tsx'
import { tellRefusal } from '../shell/tell-refusal.ts'
import { apiCall } from './api-call.ts'
import { CreateOptions } from './create-options.tsx'
import { useCreateProject } from './create-project.ts'
import { CreateQuota } from './create-quota.tsx'
import { CreateSummary, type SubmitState } from './create-summary.tsx'
import {
  countOf,
  type Draft,
  type DraftField,
  type DraftWorld,
  demandOf,
  draftProblems,
  figures,
  hasDisk,
  sizeProblem,
  toInputs,
} from './draft.ts'
import { ImagePicker } from './image-picker.tsx'
import { LoginSection } from './login-section.tsx'
import { SizePicker } from './size-picker.tsx'
import { useCreation } from './use-creation.ts'
import { useUserDataProblem } from './user-data-field.tsx'

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

/** How one will get in, in a few words. */
function loginText(draft: Draft): string {
  const ways = [
    draft.password ? t.summary.password : null,
    draft.keyIds.length > 0 ? t.summary.keys(draft.keyIds.length) : null,
  ].filter(Boolean)
  return [draft.user, ways.join(' + ') || t.summary.none].filter(Boolean).join(' · ')
}

const blank: Draft = {
  projectId: null,
  imageUid: null,
  size: 'small',
  cpus: '1',
  memory: '1',
  disk: '',
  name: '',
  user: '',
  password: '',
  keyIds: [],
  labels: '',
  userData: '',
  count: '1',
  bridge: '',
  keyboard: 'us',
  startAtBoot: true,
  start: true,
}

export function VmCreate() {
  const router = useRouter()
  const trpc = useTRPC()
  const { session } = useSession()
  const { vms } = useAllVms()
  const { project, projects, choose } = useCreateProject()
  const { hosts } = useHosts()
  const { images } = useImages()
  const sizes = useQuery(trpc.size.list.queryOptions()).data
  const keys = useQuery(trpc.sshKey.list.queryOptions()).data?.filter(
    (key) => !project || key.projectId === project.id,
  )
  const creation = useCreation()
  const build = useMutation(
    trpc.image.build.mutationOptions({
      onError: tellRefusal,
    }),
  )

  const [typed, setTyped] = useState<Partial<Draft>>({})
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const [tried, setTried] = useState(false)
  const intent = useRef(intentKey())
  // Names are unique in a project; the others' do not count, nor those this page has just asked for.
  const taken = new Set(
    (vms ?? [])
      .filter((vm) => (!project || vm.project.id === project.id) && !creation.asked.has(vm.name))
      .map((vm) => vm.name),
  )

  // The first proposal waits for the list, so that it is a free name; the server's render has none.
  const [proposed, setProposed] = useState('')
  const known = vms !== undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies: proposed once, not again whenever the list changes
  useEffect(() => {
    if (known) setProposed((was) => was || proposeName(taken))
  }, [known])
  const userDataWhy = useUserDataProblem(typed.userData ?? '')
  const [fromLink, setFromLink] = useState<string | null>(null)
  useEffect(() => setFromLink(new URLSearchParams(window.location.search).get('image')), [])
  const [keyboard, setKeyboard] = useState<KeyboardLayout>('us')
  useEffect(() => setKeyboard(layoutOfLanguages(navigator.languages)), [])

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
    keyboard,
    ...typed,
    projectId: project?.id ?? null,
    imageUid,
  }
  const host = hosts?.[0]
  // What is being created is in the quota as soon as the portal knows of it: the gauges show it once, not twice.
  const quota = creation.heldQuota ?? project?.quota
  const world: DraftWorld = {
    image,
    sizes: sizes ?? [],
    host,
    takenNames: taken,
    keys: new Map((keys ?? []).map((key) => [key.id, key.publicKey])),
    quota,
  }
  const refused = creation.error ? fieldErrors(creation.error) : {}
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
    creation.reset()
  }

  const admin = session?.user?.role === 'admin'
  const buildWhy = !admin ? m.images.makeWhy : host && !host.online ? t.why.hostAway : null
  function startBuild(which: ImageView) {
    build.mutate({ imageUid: which.uid })
  }

  async function send() {
    const inputs = toInputs(draft, world, intent.current)
    if (!inputs || creation.busy) return
    const vm = await creation.createAll(inputs, project?.quota)
    if (vm)
      router.push(
        inputs.length === 1 ? paths.vm(vm.id) : `${paths.vms()}?q=${encodeURIComponent(draft.name)}`,
      )
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    if (state.why) return
    setTried(true)
    if (Object.keys(problems).length > 0) {
      requestAnimationFrame(() =>
        document.querySelector<HTMLElement>('#vm-create [aria-invalid="true"]')?.focus(),
      )
      return
    }
    void send()
  }

  const state = submitState()
  function submitState(): SubmitState {
    const hostAway = host !== undefined && !host.online
    const count = countOf(draft) ?? 1
    const label = count === 1 ? t.submit : t.submitMany(count)
    if (!images || !sizes || !hosts || !vms) return { label, why: t.why.loading }
    if (session && !project) return { label, why: t.noProject }
    if (!image) return { label, why: t.why.noImage }
    if (hostAway) return { label, why: t.why.hostAway }
    if (problems.login) return { label, why: problems.login }
    if (problems.quota) return { label, why: problems.quota }
    if (userDataWhy) return { label, why: t.why.userData }
    if (tried && Object.keys(problems).length > 0) return { label, why: t.why.fix }
    if (image.status === 'ready') return { label, why: null }
    if (image.status === 'building') return { label, why: null }
    if (image.source !== 'build' && image.source !== 'download')
      return { label, why: t.why.imageNotThere(image.name) }
    return admin
      ? { label, why: null }
      : {
          label,
          why: image.source === 'download' ? t.why.askDownload(image.name) : t.why.askBuild(image.name),
        }
  }

  const shape = figures(draft, world)
  // Never with the password: the call is copied about.
  const example = toInputs({ ...draft, count: '1' }, world, 'example')?.[0]
  const origin = useSyncExternalStore(
    () => () => {},
    () => window.location.origin,
    () => '',
  )
  return (
    <form id="vm-create" onSubmit={submit} noValidate aria-label={t.title} className="flex flex-col gap-5">
      <PageHeader title={t.title} />
      <div className="grid grid-cols-1 items-start gap-6 xl:grid-cols-[minmax(0,1fr)_19rem]">
        <fieldset disabled={creation.busy} className="min-w-0">
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
                withDisk={!image || hasDisk(image)}
                draft={draft}
                problems={shownProblems}
                maxCpus={host?.info?.cpus}
                change={change}
              />
            </Step>
            <Step title={t.name} hint={t.nameHint}>
              <div className="flex flex-wrap gap-x-4 gap-y-3">
                <Field label={t.name} labelHidden error={shown('name')} className="w-full max-w-md">
                  <span className="flex items-center gap-2">
                    <CodeInput
                      value={draft.name}
                      onChange={(event) => change({ name: event.target.value })}
                      maxLength={63}
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
                {projects.length > 1 ? (
                  <Field label={t.project} labelHidden>
                    <Select
                      value={project?.id ?? ''}
                      onChange={(event) => {
                        choose(Number(event.target.value))
                        change({})
                      }}
                      aria-label={t.project}
                    >
                      {projects.map(({ id, name }) => (
                        <option key={id} value={id}>
                          {name}
                        </option>
                      ))}
                    </Select>
                  </Field>
                ) : null}
              </div>
            </Step>
            <Fold
              title={t.folds.login}
              value={image && !image.cloudInit ? t.summary.automatic : loginText(draft)}
              open={Boolean(problems.login || shownProblems.user || shownProblems.password)}
            >
              <LoginSection
                image={image}
                keys={keys}
                draft={draft}
                problems={shownProblems}
                change={change}
              />
            </Fold>
            <CreateOptions
              image={image}
              host={host}
              shape={shape}
              draft={draft}
              problems={{ ...shownProblems, labels: shown('labels'), count: shown('count') }}
              userDataWhy={userDataWhy}
              change={change}
            />
          </div>
        </fieldset>
        <CreateSummary
          draft={draft}
          image={image}
          shape={shape}
          state={state}
          busy={creation.busy}
          quota={
            project ? (
              <>
                <h2 className="mb-3 font-medium text-13">{t.quotaOf(project.name)}</h2>
                <CreateQuota projectId={project.id} quota={quota ?? []} demand={demandOf(draft, world)} />
              </>
            ) : (
              <Skeleton className="h-40" />
            )
          }
          api={example && keys ? apiCall(example, keys, origin) : null}
          notice={
            creation.error && Object.keys(refused).length === 0 ? (
              <>
                <RefusalNotice error={creation.error} />
                {creation.accepted ? (
                  <p className="text-13 text-ink-2">
                    {t.partly(creation.accepted.done, creation.accepted.all)}
                  </p>
                ) : null}
              </>
            ) : null
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
