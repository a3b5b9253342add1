import { api } from './api.ts'
import { backups } from './backups.ts'
import { consoleTexts } from './console.ts'
import { create } from './create.ts'
import { dashboard } from './dashboard.ts'
import { disks, volumes } from './disks.ts'
import { display } from './display.ts'
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
import { welcome } from './welcome.ts'

/** What only pages of their own need; they take it from `messages/all.ts`. */
export const rest = {
  api,
  trust,
  dashboard,
  vmSettings,
  vmNetwork,
  ports,
  bridges,
  firewall,
  limits,
  snapshots,
  disks,
  volumes,
  backups,
  metrics,
  create,
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
