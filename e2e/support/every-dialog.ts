import { expect, type Page } from '@playwright/test'
import { dialogOf } from './dialog.ts'
import type { ShowcaseProcess } from './showcase-process.ts'

/** What opens over a page, or is seen by somebody else than its administrator: held against axe as pages are. */
export interface ShownState {
  readonly name: string
  readonly path: (home: ShowcaseProcess) => string
  /** Otherwise the administrator. */
  readonly who?: 'ben' | 'cleo'
  readonly prepare?: (page: Page) => Promise<void>
}

const vm =
  (name: string, tab = '') =>
  (home: ShowcaseProcess) =>
    `/vms/${home.vms[name]}${tab}`

/** Opens what a button opens. */
const press = (name: string | RegExp) => async (page: Page) => {
  await page.getByRole('button', { name }).first().click()
  await dialogOf(page).waitFor()
}

const choose = (menu: string | RegExp, item: string | RegExp) => async (page: Page) => {
  await page.getByRole('button', { name: menu }).first().click()
  await page.getByRole('menuitem', { name: item }).click()
  await dialogOf(page).waitFor()
}

const open = async (page: Page) => {
  await dialogOf(page).waitFor()
}

export const everyDialog: readonly ShownState[] = [
  {
    name: 'keys',
    path: () => '/vms',
    async prepare(page) {
      await page.keyboard.press('?')
      await dialogOf(page).waitFor()
    },
  },
  {
    name: 'account menu',
    path: () => '/vms',
    async prepare(page) {
      await page.getByRole('button', { name: /ada@example/ }).click()
      await page.getByRole('menuitem', { name: 'Sign out' }).waitFor()
    },
  },
  {
    name: 'palette before a word is typed',
    path: () => '/vms',
    async prepare(page) {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').waitFor()
    },
  },
  {
    name: 'several VMs selected',
    path: () => '/vms',
    async prepare(page) {
      await page.getByRole('checkbox', { name: 'Select paperless' }).check()
      await page.getByRole('group', { name: 'Selected VMs' }).waitFor()
    },
  },
  {
    name: 'several VMs: shut down',
    path: () => '/vms',
    async prepare(page) {
      await page.getByRole('checkbox', { name: 'Select paperless' }).check()
      await page
        .getByRole('group', { name: 'Selected VMs' })
        .getByRole('button', { name: 'Shut down' })
        .click()
      await dialogOf(page).waitFor()
    },
  },
  { name: 'VM: delete', path: vm('mail-archive'), prepare: choose('More actions', 'Delete') },
  { name: 'VM: power off', path: vm('paperless'), prepare: choose('More actions', 'Power off') },
  { name: 'VM: console', path: vm('paperless', '/console') },
  { name: 'console in a window of its own', path: (home) => `/console/${home.vms.paperless}` },
  { name: 'VM: new disk', path: vm('mail-archive', '/disks'), prepare: press('New disk') },
  { name: 'VM that is not there', path: () => '/vms/4711' },
  { name: 'image', path: () => '/images/1' },
  { name: 'image from an address', path: () => '/images?add=address', prepare: open },
  { name: 'image upload', path: () => '/images?add=upload', prepare: open },
  { name: 'new disk', path: () => '/volumes?add=disk', prepare: open },
  { name: 'new project', path: () => '/projects?add=project', prepare: open },
  { name: 'invite', path: () => '/people?add=person', prepare: open },
  { name: 'quota', path: () => '/projects/1', prepare: press('Change quota') },
  { name: 'new SSH key', path: () => '/settings/ssh-keys?add=key', prepare: open },
  { name: 'new token', path: () => '/settings/tokens?add=token', prepare: open },
  { name: 'codes from an app', path: () => '/settings/security', prepare: press('Turn on') },
  {
    name: 'label removed, to be taken back',
    path: vm('music', '/settings'),
    async prepare(page) {
      await page.getByRole('button', { name: 'Remove label for' }).click()
      await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible()
    },
  },
  {
    name: 'create with everything unfolded',
    path: () => '/vms/new',
    async prepare(page) {
      const folded = page.locator('main details:not([open]) > summary')
      for (let left = await folded.count(); left > 0; left--) {
        await folded.first().click()
        await expect(folded).toHaveCount(left - 1)
      }
    },
  },
  { name: 'member: dashboard', path: () => '/', who: 'ben' },
  { name: 'member: create', path: () => '/vms/new', who: 'ben' },
  { name: 'member: projects', path: () => '/projects', who: 'ben' },
  { name: 'viewer: dashboard', path: () => '/', who: 'cleo' },
  { name: 'viewer: VM', path: vm('photo-library'), who: 'cleo' },
  { name: 'viewer: VM settings', path: vm('photo-library', '/settings'), who: 'cleo' },
  { name: 'viewer: VM network', path: vm('photo-library', '/network'), who: 'cleo' },
  { name: 'viewer: VM snapshots', path: vm('photo-library', '/snapshots'), who: 'cleo' },
]
