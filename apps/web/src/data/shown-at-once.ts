/**
 * What of a wish is shown before the portal has answered: what is nearly never refused, and takes nothing that could be
 * missing. Sizes, disks and power wait for the answer.
 */

import type { inferRouterInputs } from '@trpc/server'
import type {
  BackupsView,
  ImageView,
  MemberView,
  ProjectView,
  SnapshotsView,
  SshKeyView,
  VmView,
} from '../../server/views/index.ts'
import { changedOne } from './pending.ts'
import type { AppRouter } from './trpc.ts'

type Inputs = inferRouterInputs<AppRouter>

const given = <Part extends object>(part: Part): Part =>
  Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as Part

export function updatedVms(vms: VmView[], input: Inputs['vm']['update']): VmView[] {
  const { name, labels, startAtBoot, boot, watchdog, display, forwards, firewall } = input
  return changedOne(
    vms,
    input.id,
    given({ name, labels, startAtBoot, boot, watchdog, display, forwards, firewall }) as Partial<VmView>,
  )
}

export function protectedVms(vms: VmView[], { id, deleteProtected }: Inputs['vm']['protect']): VmView[] {
  return changedOne(vms, id, { deleteProtected })
}

export function updatedImages(images: ImageView[], input: Inputs['image']['update']): ImageView[] {
  const { name, description, deleteProtected } = input
  return changedOne(images, input.id, given({ name, description, deleteProtected }))
}

export function renamedProjects(
  projects: ProjectView[],
  { projectId, name }: Inputs['project']['rename'],
): ProjectView[] {
  return changedOne(projects, projectId, { name })
}

export function renamedSnapshot(
  view: SnapshotsView,
  { id, name }: Inputs['snapshot']['rename'],
): SnapshotsView {
  return { ...view, snapshots: changedOne(view.snapshots, id, { name }) }
}

export function includedInBackups(
  view: BackupsView,
  { vmId, included }: Inputs['backup']['setIncluded'],
): BackupsView {
  return { ...view, vms: view.vms.map((each) => (each.vm.id === vmId ? { ...each, included } : each)) }
}

export function changedRoles(
  members: MemberView[],
  { userId, role }: Inputs['project']['setRole'],
): MemberView[] {
  return members.map((member) => (member.userId === userId ? { ...member, role } : member))
}

export function withoutKeys(keys: SshKeyView[], { id }: Inputs['sshKey']['delete']): SshKeyView[] {
  return keys.filter((key) => key.id !== id)
}
