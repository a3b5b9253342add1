import { common } from './common.ts'
import { creation } from './creation.ts'
import { entry } from './entry.ts'
import { vms } from './vms.ts'

/** What every page needs, and the list of VMs: these arrive first. */
export const core = {
  common,
  entry,
  vms,
  creation,
}
