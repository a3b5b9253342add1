import type { Messages } from '../index.ts'
import { common } from './common.ts'
import { consoleTexts } from './console.ts'
import { create } from './create.ts'
import { creation } from './creation.ts'
import { dashboard } from './dashboard.ts'
import { disks, volumes } from './disks.ts'
import { display } from './display.ts'
import { entry } from './entry.ts'
import { imageForms } from './image-forms.ts'
import { images } from './images.ts'
import { metrics } from './metrics.ts'
import { bridges, firewall, limits, ports } from './network.ts'
import { projects } from './projects.ts'
import { recordings } from './recordings.ts'
import { security } from './security.ts'
import { settings } from './settings.ts'
import { snapshots } from './snapshots.ts'
import { trust } from './trust.ts'
import { vmNetwork, vmSettings } from './vm-settings.ts'
import { vms } from './vms.ts'
import { welcome } from './welcome.ts'

export const de: Messages = {
  common,
  entry,
  trust,
  dashboard,
  vms,
  vmSettings,
  vmNetwork,
  ports,
  bridges,
  firewall,
  limits,
  snapshots,
  disks,
  volumes,
  metrics,
  create,
  creation,
  console: consoleTexts,
  display,
  imageForms,
  images,
  projects,
  recordings,
  security,
  settings,
  welcome,
}
