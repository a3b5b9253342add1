import type { PowerOp } from '@hearth/shared/agent-protocol'
import {
  Activity,
  Camera,
  ChartLine,
  Code,
  FolderPlus,
  HardDrive,
  KeyRound,
  Languages,
  Link2,
  LogOut,
  MoonStar,
  Network,
  Play,
  Power,
  PowerOff,
  RefreshCw,
  RotateCcw,
  Settings,
  SquareTerminal,
  Terminal,
  Trash2,
  Upload,
  UserPlus,
} from 'lucide-react'
import type { ReactNode } from 'react'
import type { SessionView, VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { setTheme } from '../../lib/theme.ts'
import { m } from '../../messages/all.ts'
import { chooseLanguage } from '../../messages/language.ts'
import type { Confirming } from '../vms/vm-confirm.tsx'
import { languageOptions, themeOptions } from './appearance.tsx'
import { innerPlaces, mayVisit, places } from './places.ts'
import { leave } from './user-menu-items.tsx'

/** A line of the palette: chosen, it leads to `href`, or does `act`. */
export interface Entry {
  /** Tells entries apart. */
  id: string
  href?: string
  act?: () => void
  label: string
  detail?: string
  icon: ReactNode
}

/** Every page by name, each once. */
export function pageEntries(session: SessionView | undefined): Entry[] {
  const { main, administration } = places()
  const all = [...main, ...administration, ...innerPlaces()].filter((place) => mayVisit(place, session))
  return all
    .filter((place, index) => all.findLastIndex((other) => other.href === place.href) === index)
    .map((place) => ({ id: place.href, href: place.href, label: place.label, icon: <place.icon /> }))
}

/** What can be begun from anywhere; a dialog opens on the page it belongs to. */
export function generalEntries(session: SessionView | undefined): Entry[] {
  const isAdmin = session?.user?.role === 'admin'
  const begin = (href: string, label: string, icon: ReactNode): Entry => ({ id: href, href, label, icon })
  return [
    begin(paths.images({ add: 'address' }), `${m.images.title}: ${m.images.addAddress}`, <Link2 />),
    begin(paths.images({ add: 'upload' }), `${m.images.title}: ${m.images.addUpload}`, <Upload />),
    begin(paths.volumes({ add: 'disk' }), m.volumes.make, <HardDrive />),
    ...(isAdmin
      ? [
          begin(paths.projects({ add: 'project' }), m.projects.create, <FolderPlus />),
          begin(paths.people({ add: 'person' }), m.projects.invitations.inviteSomebody, <UserPlus />),
        ]
      : []),
    begin(paths.sshKeys({ add: 'key' }), m.settings.keys.add, <KeyRound />),
    begin(paths.tokens({ add: 'token' }), m.settings.tokens.create, <Terminal />),
    begin(paths.apiReference(), m.api.title, <Code />),
    ...themeOptions().map(({ value, label, icon }) => ({
      id: `theme-${value}`,
      label: m.common.palette.themeTo(label),
      icon,
      act: () => setTheme(value),
    })),
    ...languageOptions.map(({ value, label }) => ({
      id: `language-${value}`,
      label: `${m.common.language.label}: ${label}`,
      icon: <Languages />,
      act: () => chooseLanguage(value),
    })),
    { id: 'sign-out', label: m.common.user.signOut, icon: <LogOut />, act: () => void leave() },
  ]
}

const powerIcons = {
  start: <Play />,
  shutdown: <Power />,
  reboot: <RefreshCw />,
  suspend: <MoonStar />,
  reset: <RotateCcw />,
  poweroff: <PowerOff />,
} as const

/** What can be done with a VM now, and its pages. What cannot be taken back is asked for once more. */
export function vmEntries(
  vm: VmView,
  power: (vm: VmView, op: PowerOp) => void,
  confirm: (vm: VmView, what: NonNullable<Confirming>) => void,
): Entry[] {
  const t = m.vms.power
  const tabs = m.vms.page.tabs
  const on = (word: string, icon: ReactNode, rest: Pick<Entry, 'href' | 'act'>): Entry => ({
    id: `${vm.id}${word}`,
    label: m.common.palette.onVm(word, vm.name),
    icon,
    ...rest,
  })
  const calm = (['start', 'shutdown', 'reboot', 'suspend'] as const).filter((op) => vm.can[op].ok)
  const grave = (['reset', 'poweroff'] as const).filter((op) => vm.can[op].ok)
  return [
    ...(vm.can.console.ok ? [on(t.console, <SquareTerminal />, { href: paths.vmConsole(vm.id) })] : []),
    ...calm.map((op) => on(t[op], powerIcons[op], { act: () => power(vm, op) })),
    ...grave.map((op) => on(t[op], powerIcons[op], { act: () => confirm(vm, op) })),
    on(tabs.metrics, <ChartLine />, { href: paths.vmMetrics(vm.id) }),
    on(tabs.disks, <HardDrive />, { href: paths.vmDisks(vm.id) }),
    on(tabs.snapshots, <Camera />, { href: paths.vmSnapshots(vm.id) }),
    on(tabs.network, <Network />, { href: paths.vmNetwork(vm.id) }),
    on(tabs.settings, <Settings />, { href: paths.vmSettings(vm.id) }),
    on(tabs.activity, <Activity />, { href: paths.vmActivity(vm.id) }),
    on(tabs.api, <Code />, { href: paths.vmApi(vm.id) }),
    ...(vm.can.delete.ok ? [on(t.delete, <Trash2 />, { act: () => confirm(vm, 'delete') })] : []),
  ]
}
