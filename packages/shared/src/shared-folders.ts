/** Folders of a host that its VMs may have: by names that an administrator of the host gave them. */
import { z } from 'zod'

/** What the guest mounts it by (`mount -t virtiofs NAME …`), too. */
export const folderNameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,34}[a-z0-9])?$/,
    'A shared folder’s name has lower-case letters, digits, dots, hyphens and underscores; at most 36.',
  )

/** One that a host offers. */
export const hostFolderSchema = z.object({ name: folderNameSchema, writable: z.boolean() })
export type HostFolder = z.infer<typeof hostFolderSchema>

export const maxFoldersPerVm = 4

/** Those of one VM. */
export const vmFoldersSchema = z
  .array(z.strictObject({ name: folderNameSchema, writable: z.boolean() }))
  .max(maxFoldersPerVm, `A VM has at most ${maxFoldersPerVm} shared folders.`)
  .refine(
    (folders) => new Set(folders.map(({ name }) => name)).size === folders.length,
    'A folder is named twice.',
  )
export type VmFolder = z.infer<typeof vmFoldersSchema>[number]
