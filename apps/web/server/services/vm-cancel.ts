/** Cancelling the creation of a VM: the wish is kept with the action, and its end (see actions.ts) removes the VM. */
import { HearthError } from '@hearth/shared/errors'
import type { Viewer } from '../auth/viewer.ts'
import type { VmChange } from '../views/vm.ts'
import { actorOf, record } from './activity.ts'
import type { ServiceContext } from './context.ts'
import { changeOf } from './vm-create.ts'
import { ensureAble } from './vm-rules.ts'
import { conditionOf, findVm } from './vms.ts'

export async function cancelCreation(context: ServiceContext, viewer: Viewer, id: number): Promise<VmChange> {
  const { db, hosts, changes } = context
  const action = await db.$transaction(async (tx) => {
    const vm = await findVm(tx, id)
    ensureAble('cancel', conditionOf(context, vm))
    const held = vm.heldByAction!
    const noted = await tx.action.updateMany({
      where: { id: held.id, status: 'running', cancelledAt: null },
      data: { cancelledAt: new Date() },
    })
    if (noted.count === 0) throw new HearthError('invalid_state', `${vm.name} is created already.`)
    await record(tx, {
      kind: 'vm.cancel',
      summary: `Cancelled the creation of ${vm.name}`,
      actor: actorOf(viewer),
      from: viewer.from,
      projectId: vm.projectId,
      vmId: vm.id,
    })
    return held
  })
  changes.publish('vms', 'actions')
  await hosts.dispatchCancel(action.id)
  return changeOf(context, action)
}
