/**
 * The folders of this box that VMs may have: `shared-folders.json`, in the agent's state folder unless it is told otherwise, written by whoever
 * administers the box with an editor and by nobody else. What is not in it no VM gets, whatever the portal says.
 */
import { readFile } from 'node:fs/promises'
import { HearthError } from '@hearth/shared/errors'
import { folderNameSchema, type HostFolder, type VmFolder } from '@hearth/shared/shared-folders'
import { z } from 'zod'

export const sharedFoldersFile = 'shared-folders.json'

const listSchema = z.record(
  folderNameSchema,
  z.strictObject({
    path: z.string().regex(/^\/[^\0]*$/),
    writable: z.boolean().default(false),
    /** Who owns everything in it in the guest. */
    uid: z.int().min(0).max(0xffff_fffe).default(1000),
  }),
)

/** As `hearth-vmm` takes it. */
export interface Share {
  readonly path: string
  readonly tag: string
  readonly writable: boolean
  readonly owner: number
}

async function readList(file: string): Promise<z.infer<typeof listSchema>> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  return listSchema.parse(JSON.parse(text))
}

/** What this box offers; nothing when the list cannot be read. */
export async function offeredFolders(file: string): Promise<HostFolder[]> {
  const list = await readList(file).catch(() => ({}) as z.infer<typeof listSchema>)
  return Object.entries(list).map(([name, { writable }]) => ({ name, writable }))
}

/** Read anew at each start of a VM. Throws HearthError when one of them is not offered, or not to be written. */
export async function sharesOf(file: string, folders: readonly VmFolder[]): Promise<Share[]> {
  if (folders.length === 0) return []
  const list = await readList(file).catch(() => {
    throw new HearthError(
      'invalid_state',
      `The list of shared folders of this host cannot be read. Correct ${sharedFoldersFile} in the agent's state folder.`,
    )
  })
  return folders.map(({ name, writable }) => {
    const folder = Object.hasOwn(list, name) ? list[name] : undefined
    if (!folder) {
      throw new HearthError(
        'invalid_state',
        `This host does not share the folder ${name} any more. Take it away from the VM, or have it shared again.`,
      )
    }
    if (writable && !folder.writable) {
      throw new HearthError(
        'invalid_state',
        `This host shares the folder ${name} for reading only. Give it to the VM for reading.`,
      )
    }
    return { path: folder.path, tag: name, writable, owner: folder.uid }
  })
}
