/** A VM whose disk becomes an image's again: same name, address, volumes and snapshots, everything else anew. */
import { HearthError } from '@hearth/shared/errors'
import { type CloudInit, parseVmSpec } from '@hearth/shared/vm-spec'
import type { Viewer } from '../auth/viewer.ts'
import type { Image } from '../generated/client.ts'
import type { VmChange } from '../views/vm.ts'
import type { ServiceContext } from './context.ts'
import { makeImage } from './image-make.ts'
import { cryptSha512 } from './password-hash.ts'
import { parseSshPublicKey } from './ssh-public-key.ts'
import type { VmRebuildRequest } from './types.ts'
import { change, refusedOr } from './vm-change.ts'
import { placeFor } from './vm-create.ts'
import { ensureAble } from './vm-rules.ts'
import { writeSpec } from './vm-settings.ts'
import { requireSize } from './vm-size.ts'
import { conditionOf, findVm } from './vms.ts'

export async function rebuildVm(
  context: ServiceContext,
  viewer: Viewer,
  input: VmRebuildRequest,
): Promise<VmChange> {
  const { db } = context
  const { id, imageUid, confirmName, idempotencyKey } = input
  const current = await findVm(db, id)
  if (confirmName !== undefined && confirmName !== current.name)
    throw new HearthError('invalid_input', `Type the VM's name, ${current.name}, to rebuild it.`)
  const { image, info, absent } = await placeFor(context, viewer, imageUid, current.projectId)
  const cloudInit = await loginOf(parseVmSpec(JSON.parse(current.spec)).cloudInit, image, input)
  if (absent) {
    ensureAble('rebuild', conditionOf(context, current))
    await makeImage(context, viewer, { uid: image.uid })
  }
  const action = await change(context, viewer, {
    what: 'rebuild',
    command: 'rebuild_vm',
    id,
    idempotencyKey,
    asked: { image: imageUid },
    plan: async (vm, tx) => {
      const spec = parseVmSpec({
        ...parseVmSpec(JSON.parse(vm.spec)),
        // How the old disk was started says nothing of the new one.
        ...{ image: image.uid, boot: undefined, cloudInit, generation: vm.generation + 1 },
      })
      if (spec.diskBytes === undefined && image.minDiskBytes > 0n)
        throw new HearthError(
          'invalid_input',
          `${vm.name} runs from memory and has no disk for ${image.name}. Make a new VM from it.`,
        )
      requireSize({ ...spec, diskBytes: spec.diskBytes }, image, info)
      await writeSpec(tx, vm.id, spec, vm.spec)
      return {
        request: { kind: 'rebuild', spec, start: vm.observedState === 'running' },
        summary: `Rebuilt ${vm.name} from ${image.name}`,
        imageId: image.id,
      }
    },
  })
  return refusedOr(context, action)
}

/** The login it had, unless another one is given; one that had none needs one where the image has people sign in. */
async function loginOf(
  before: CloudInit | undefined,
  image: Image,
  { password, sshKeys = [] }: VmRebuildRequest,
): Promise<CloudInit | undefined> {
  const given = password !== undefined || sshKeys.length > 0
  if (!image.cloudInit) {
    if (given)
      throw new HearthError(
        'invalid_input',
        `${image.name} takes no user, password or SSH key: it has no cloud-init.`,
      )
    return undefined
  }
  if (!given && before) return before
  const user = before?.user ?? image.loginUser
  if (!given || !user)
    throw new HearthError(
      'invalid_input',
      `This VM had no login, and ${image.name} wants one. Give a password or an SSH key.`,
    )
  return {
    user,
    ...(password === undefined ? {} : { passwordHash: await cryptSha512(password) }),
    sshAuthorizedKeys: sshKeys.map((key) => parseSshPublicKey(key).line),
    ...(before?.userData === undefined ? {} : { userData: before.userData }),
  }
}
