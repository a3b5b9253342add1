import { common } from './en/common.ts'
import { consoleTexts } from './en/console.ts'
import { create } from './en/create.ts'
import { entry } from './en/entry.ts'
import { images } from './en/images.ts'
import { settings } from './en/settings.ts'
import { trust } from './en/trust.ts'
import { vmNetwork, vmSettings } from './en/vm-settings.ts'
import { vms } from './en/vms.ts'

/**
 * Every text of the portal. A second language is another object of this type; nothing else in the pages
 * holds words.
 */
const en = {
  common,
  entry,
  trust,
  vms,
  vmSettings,
  vmNetwork,
  create,
  console: consoleTexts,
  images,
  settings,
}

export type Messages = typeof en
export const m: Messages = en
