import {
  Activity,
  ArchiveRestore,
  Box,
  Clapperboard,
  FolderClosed,
  HardDrive,
  House,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  Plus,
  Server,
  Settings,
  ShieldCheck,
  Terminal,
  UserRound,
  Users,
} from 'lucide-react'
import type { SessionView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'

export interface Place {
  href: string
  label: string
  icon: LucideIcon
  /** A shorter word for the bar at the bottom of a phone. */
  short?: string
  /** Addresses that belong to it, besides its own and what lies below it. */
  under?: readonly string[]
  /** Only for administrators of the home. */
  admin?: boolean
}

/**
 * The navigation, in its order: what everyone works with, and what the home's administrator looks after. The first
 * four stand in the bar at the bottom of a phone, the rest behind "More". A new page is a line here.
 */
export function places(): { main: readonly Place[]; administration: readonly Place[] } {
  const t = m.common.nav
  return {
    main: [
      { href: paths.home(), label: t.dashboard, icon: LayoutDashboard },
      { href: paths.vms(), label: t.vms, short: t.vmsShort, icon: Server },
      { href: paths.images(), label: t.images, icon: Box },
      { href: paths.activity(), label: t.activity, icon: Activity },
      { href: paths.volumes(), label: t.volumes, icon: HardDrive },
      { href: paths.backups(), label: t.backups, icon: ArchiveRestore },
      { href: paths.projects(), label: t.projects, icon: FolderClosed },
      { href: paths.settings(), label: t.settings, icon: Settings, under: ['/settings'] },
    ],
    administration: [
      { href: paths.people(), label: t.people, icon: Users, admin: true },
      { href: paths.recordings(), label: t.recordings, icon: Clapperboard, admin: true },
      { href: paths.homeSettings(), label: t.home, icon: House, admin: true },
    ],
  }
}

/** Pages that are reached through others; the palette (Ctrl+K) and search know them by name. */
export function innerPlaces(): readonly Place[] {
  const t = m.common.nav
  return [
    { href: paths.vmNew(), label: m.vms.create, icon: Plus },
    { href: paths.account(), label: t.account, icon: UserRound },
    { href: paths.security(), label: t.security, icon: ShieldCheck },
    { href: paths.sshKeys(), label: t.sshKeys, icon: KeyRound },
    { href: paths.tokens(), label: t.tokens, icon: Terminal },
  ]
}

export function mayVisit(place: Place, session: SessionView | undefined): boolean {
  return !place.admin || session?.user?.role === 'admin'
}

/** The place a page belongs to: the one whose address is the longest part of the page's. */
export function placeOf(path: string, list: readonly Place[]): Place | undefined {
  const holds = (prefix: string) => path === prefix || (prefix !== '/' && path.startsWith(`${prefix}/`))
  return list
    .filter((place) => [place.href, ...(place.under ?? [])].some(holds))
    .sort((one, other) => other.href.length - one.href.length)[0]
}
