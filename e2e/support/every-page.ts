import type { Page } from '@playwright/test'
import { dialogOf } from './dialog.ts'
import type { ShowcaseProcess } from './showcase-process.ts'

export interface ShownPage {
  /** Its name in docs/screenshots. */
  readonly name: string
  readonly path: (home: ShowcaseProcess) => string
  /** Brings it into the state that is shown. */
  readonly prepare?: (page: Page) => Promise<void>
  /** Only what a signed-out person sees. */
  readonly signedOut?: boolean
}

const vm =
  (name: string, tab = '') =>
  (home: ShowcaseProcess) =>
    `/vms/${home.vms[name]}${tab}`

/** Every page there is. A new page is a line here: it is then tested for accessibility and pictured. */
export const everyPage: readonly ShownPage[] = [
  { name: 'dashboard', path: () => '/' },
  { name: 'vms', path: () => '/vms' },
  { name: 'create', path: () => '/vms/new' },
  { name: 'vm', path: vm('photo-library') },
  { name: 'vm-crashed', path: vm('kernel-lab') },
  { name: 'vm-creating', path: vm('tea-clock') },
  { name: 'vm-metrics', path: vm('photo-library', '/metrics') },
  { name: 'vm-disks', path: vm('photo-library', '/disks') },
  { name: 'vm-snapshots', path: vm('photo-library', '/snapshots') },
  { name: 'vm-network', path: vm('photo-library', '/network') },
  {
    name: 'port-forward',
    path: vm('photo-library', '/network'),
    async prepare(page) {
      await page.getByRole('button', { name: 'Forward a port' }).click()
      await dialogOf(page).getByLabel('Port of the box').waitFor()
    },
  },
  { name: 'vm-settings', path: vm('build-runner', '/settings') },
  { name: 'vm-activity', path: vm('photo-library', '/activity') },
  { name: 'vm-api', path: vm('photo-library', '/api') },
  { name: 'images', path: () => '/images' },
  { name: 'volumes', path: () => '/volumes' },
  { name: 'backups', path: () => '/backups' },
  { name: 'activity', path: () => '/activity' },
  { name: 'projects', path: () => '/projects' },
  { name: 'project', path: () => '/projects/1' },
  { name: 'recordings', path: () => '/recordings' },
  { name: 'people', path: () => '/people' },
  { name: 'home-settings', path: () => '/home' },
  { name: 'security', path: () => '/settings/security' },
  { name: 'account', path: () => '/settings/account' },
  { name: 'ssh-keys', path: () => '/settings/ssh-keys' },
  { name: 'tokens', path: () => '/settings/tokens' },
  { name: 'api-reference', path: () => '/api-reference#post_servers' },
  { name: 'not-found', path: () => '/nowhere' },
  {
    name: 'palette',
    path: () => '/vms',
    async prepare(page) {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').fill('photo')
    },
  },
  { name: 'sign-in', path: () => '/sign-in', signedOut: true },
  { name: 'welcome', path: () => '/welcome' },
  {
    name: 'welcome-image',
    path: () => '/welcome',
    async prepare(page) {
      await page.getByRole('button', { name: 'Next' }).click()
      await page.getByText('Tiny Linux', { exact: true }).waitFor()
    },
  },
  { name: 'invitation', path: () => '/invitation', signedOut: true },
  { name: 'trust', path: () => '/trust', signedOut: true },
]

/** Waits until nothing loads any more: no skeleton, and the fonts are there. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main').first().waitFor()
  await page.waitForFunction(
    () => document.querySelectorAll('.skeleton').length === 0 && document.fonts.status === 'loaded',
  )
}
