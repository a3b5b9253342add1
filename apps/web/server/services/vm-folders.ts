/** Folders of its host that a VM has: of those the host offers, given by an administrator. */
import { isDeepStrictEqual } from 'node:util'
import type { HostInfo } from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { VmFolder } from '@hearth/shared/shared-folders'
import type { VmSpec } from '@hearth/shared/vm-spec'

/** All of them: what is not in the list is taken away. */
export interface FoldersWish {
  folders?: VmFolder[] | undefined
}

export function changedFolders(spec: VmSpec, { folders }: FoldersWish): FoldersWish {
  return folders === undefined || isDeepStrictEqual(folders, spec.folders ?? []) ? {} : { folders }
}

/** The part of the specification, in which an absent list is an empty one. */
export function sharedSpec(before: VmSpec, { folders }: FoldersWish): Pick<VmSpec, 'folders'> {
  if (folders === undefined) return { folders: before.folders }
  return { folders: folders.length === 0 ? undefined : folders }
}

/** What is new has to be offered; what a VM has already may stay, so that another one can be taken away. */
export function requireOffered(before: VmSpec, { folders = [] }: FoldersWish, info: HostInfo): void {
  for (const wanted of folders) {
    if (before.folders?.some((one) => isDeepStrictEqual(one, wanted))) continue
    const { name, writable } = wanted
    const offered = info.folders?.find((folder) => folder.name === name)
    if (!offered) throw new HearthError('not_found', `Its host shares no folder ${name}.`)
    if (writable && !offered.writable)
      throw new HearthError('forbidden', `Its host shares the folder ${name} for reading only.`)
  }
}

/** For the activity. */
export function foldersSummary(before: VmSpec, { folders }: FoldersWish): string[] {
  if (folders === undefined) return []
  const gone = (before.folders ?? []).filter(({ name }) => !folders.some((folder) => folder.name === name))
  const given = folders.filter((folder) => !before.folders?.some((one) => isDeepStrictEqual(one, folder)))
  return [
    ...given.map(({ name, writable }) =>
      writable
        ? `may write the folder ${name} from its next start on`
        : `may read the folder ${name} from its next start on`,
    ),
    ...gone.map(({ name }) => `loses the folder ${name} at its next start`),
  ]
}
