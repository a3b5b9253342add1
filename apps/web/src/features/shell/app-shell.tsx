'use client'
import { Ellipsis, Flame } from 'lucide-react'
import Link from 'next/link'
import { usePathname, useRouter } from 'next/navigation'
import { Fragment, type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { errorCode } from '../../data/errors.ts'
import { useLiveData, useProjects, useSession } from '../../data/hooks.ts'
import { usePortalLink } from '../../data/provider.tsx'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { cx } from '../../ui/cx.ts'
import { HearthMark } from '../../ui/logo.tsx'
import { Menu, MenuLinkItem } from '../../ui/menu.tsx'
import { openRequests } from '../projects/open-requests.ts'
import { QuotaDialog } from '../projects/quota-dialog.tsx'
import { CommandPalette, PaletteButton } from './command-palette.tsx'
import { KeyHelp } from './key-help.tsx'
import { mayVisit, type Place, placeOf, places } from './places.ts'
import { ProjectSwitcher } from './project-switcher.tsx'
import { useTopOfPage } from './use-top-of-page.ts'
import { UserMenu } from './user-menu.tsx'

/** Who may be here: a signed-in person. Others are led to sign-in and back again afterwards. */
export function useSignedIn(): ReturnType<typeof useSession>['session'] {
  const { session, error } = useSession()
  const router = useRouter()
  const leave = session !== undefined && session.user === null
  const refused = errorCode(error) === 'unauthorized'
  useEffect(() => {
    if (!leave && !refused) return
    router.replace(paths.signIn({ next: window.location.pathname + window.location.search }))
  }, [leave, refused, router])
  return leave ? undefined : session
}

export function AppShell({ children }: { children: ReactNode }) {
  const session = useSignedIn()
  const { main, administration } = places()
  const all = [...main, ...administration.filter((place) => mayVisit(place, session))]
  const pathname = usePathname()
  useTopOfPage(pathname)
  const current = placeOf(pathname, all)
  const inBar = all.slice(0, barLength)
  const behind = all.slice(barLength)
  const { projects } = useProjects()
  const waiting = openRequests(projects ?? [])
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[14.5rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-60 focus:rounded-control focus:bg-ember-solid focus:px-3 focus:py-1.5 focus:font-medium focus:text-on-ember"
      >
        {m.common.skipToContent}
      </a>

      <aside className="sticky top-0 hidden h-dvh flex-col border-line border-r bg-sunken md:flex">
        <Link
          href={paths.home()}
          className="mx-3 mt-4 mb-3 flex items-center gap-2.5 rounded-control px-2 py-1.5"
        >
          <HearthMark className="size-6.5" />
          <span className="min-w-0">
            <span className="block font-semibold text-[0.9375rem] leading-5 tracking-[-0.015em]">
              {m.common.product}
            </span>
            <span className="block min-h-4 truncate text-ink-3 text-xs leading-4">
              {session?.homeName ?? ''}
            </span>
          </span>
        </Link>
        <div className="flex flex-col gap-2 px-3 pb-3">
          <ProjectSwitcher />
          <PaletteButton />
        </div>
        <nav
          aria-label={m.common.nav.label}
          className="flex flex-1 flex-col gap-0.5 overflow-y-auto px-3 py-px"
        >
          {all.map((place) => (
            <Fragment key={place.href}>
              {place === administration[0] ? (
                <p className="mt-4 mb-1 px-2.5 text-ink-3 text-xs">{m.common.nav.administration}</p>
              ) : null}
              <SideLink place={place} current={place === current} />
            </Fragment>
          ))}
        </nav>
        <div className="border-line border-t p-3">
          <UserMenu session={session} />
        </div>
      </aside>

      <header className="sticky top-0 z-30 flex h-13 items-center justify-between border-line border-b bg-sunken/95 px-4 backdrop-blur md:hidden">
        <Link href={paths.home()} className="flex min-w-0 items-center gap-2.5">
          <HearthMark className="size-6" />
          <span className="truncate font-semibold tracking-[-0.015em]">
            {session?.homeName ?? m.common.product}
          </span>
        </Link>
        <div className="flex shrink-0 items-center gap-1">
          <ProjectSwitcher compact />
          <PaletteButton compact />
          <UserMenu session={session} compact />
        </div>
      </header>

      <div className="flex min-w-0 flex-col">
        <LinkBanner />
        {session ? <SignedIn /> : null}
        <QuotaDialog />
        <KeyHelp />
        <CommandPalette />
        <main
          id="content"
          tabIndex={-1}
          className="mx-auto w-full max-w-[76rem] flex-1 px-4 pt-5 pb-24 outline-none sm:px-6 md:px-8 md:pt-7 md:pb-12"
        >
          {children}
        </main>
      </div>

      <nav
        aria-label={m.common.nav.label}
        className="fixed inset-x-0 bottom-0 z-30 flex border-line border-t bg-sunken/95 pb-[env(safe-area-inset-bottom)] backdrop-blur md:hidden"
      >
        {inBar.map((place) => (
          <Link
            key={place.href}
            href={place.href}
            aria-current={place === current ? 'page' : undefined}
            className={cx(barClass, place === current ? 'text-ink' : 'text-ink-3')}
          >
            <place.icon className={cx('size-5', place === current && 'text-ember')} aria-hidden="true" />
            {place.short ?? place.label}
          </Link>
        ))}
        <Menu
          side="top"
          trigger={
            <button
              type="button"
              className={cx(barClass, current && behind.includes(current) ? 'text-ink' : 'text-ink-3')}
            >
              <span className="relative">
                <Ellipsis
                  className={cx('size-5', current && behind.includes(current) && 'text-ember')}
                  aria-hidden="true"
                />
                {waiting > 0 ? (
                  <span className="absolute -top-0.5 -right-1 size-2 rounded-full bg-ember-solid">
                    <span className="sr-only">{m.common.nav.waiting(waiting)}</span>
                  </span>
                ) : null}
              </span>
              {m.common.nav.more}
            </button>
          }
        >
          {behind.map((place) => (
            <MenuLinkItem key={place.href} icon={<place.icon />} render={<Link href={place.href} />}>
              {place.label}
              {place.href === paths.projects() && waiting > 0 ? (
                <span className="block text-ember text-xs">{m.common.nav.waiting(waiting)}</span>
              ) : null}
            </MenuLinkItem>
          ))}
        </Menu>
      </nav>
    </div>
  )
}

/** As many places as fit into the bar of a narrow phone beside "More". */
const barLength = 4
const barClass =
  'flex h-14 min-w-0 flex-1 flex-col items-center justify-center gap-1 truncate font-medium text-2xs outline-offset-[-3px]'

function SideLink({ place, current }: { place: Place; current: boolean }) {
  const waiting = useWaiting(place)
  return (
    <Link
      href={place.href}
      aria-current={current ? 'page' : undefined}
      className={cx(
        'flex h-8.5 shrink-0 items-center gap-2.5 rounded-control px-2.5 font-medium text-13 transition-colors',
        current
          ? 'bg-surface text-ink shadow-card ring-1 ring-line'
          : 'text-ink-2 hover:bg-raised hover:text-ink',
      )}
    >
      <place.icon className={cx('size-4', current ? 'text-ember' : 'text-ink-3')} aria-hidden="true" />
      <span className="min-w-0 flex-1 truncate">{place.label}</span>
      {waiting > 0 ? (
        <span className="tnum flex h-4.5 min-w-4.5 items-center justify-center rounded-full bg-ember-solid px-1 text-2xs text-on-ember">
          <span aria-hidden="true">{waiting}</span>
          <span className="sr-only">, {m.common.nav.waiting(waiting)}</span>
        </span>
      ) : null}
    </Link>
  )
}

/** Requests for more quota that this person may answer; they are answered on the projects' pages. */
function useWaiting(place: Place): number {
  const { projects } = useProjects()
  return place.href === paths.projects() ? openRequests(projects ?? []) : 0
}

/** The subscriptions of a signed-in person; a session that ends elsewhere ends here too. */
function SignedIn() {
  const router = useRouter()
  const signedOut = useCallback(
    () => router.replace(paths.signIn({ next: window.location.pathname + window.location.search })),
    [router],
  )
  useLiveData(signedOut)
  return null
}

/** Says quietly that the portal is away, but not for a blink, and says once when it is back. */
export function LinkBanner() {
  const link = usePortalLink()
  const [away, setAway] = useState(false)
  const wasUp = useRef(false)
  useEffect(() => {
    if (link === 'up') {
      wasUp.current = true
      setAway(false)
      return
    }
    const timer = setTimeout(() => setAway(true), wasUp.current ? 1500 : 4000)
    return () => clearTimeout(timer)
  }, [link])
  return (
    <div role="status" aria-live="polite">
      {away ? (
        <p className="flex items-center gap-2.5 border-line border-b bg-warn-soft px-4 py-2 text-13 text-ink sm:px-6 md:px-8">
          <Flame className="size-4 shrink-0 animate-ember text-warn" aria-hidden="true" />
          {m.common.connection.away}
        </p>
      ) : null}
    </div>
  )
}
