import { z } from 'zod'

/**
 * The name of a VM: an RFC 1123 label (it becomes the guest's host name), lower case, 1 to 63 characters,
 * letters, digits and hyphens, beginning and ending with a letter or digit.
 */
export const nameSchema = z
  .string()
  .min(1, 'Give it a name.')
  .max(63, 'A name has at most 63 characters.')
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    'Use lower-case letters, digits and hyphens; begin and end with a letter or digit.',
  )

/** Immutable identity of a VM across processes; names its directory, cgroup, TAP and firewall chain. */
export const vmUidSchema = z.uuid()

/** Identity of an image on every host: a slug such as `debian-12`. Safe as a file name (no `/`, no `..`). */
export const imageUidSchema = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]+(?:[.-][a-z0-9]+)*$/)

/** A locally administered unicast MAC address in lower case (IEEE 802, bit 1 of the first octet set). */
export const macSchema = z.string().regex(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/)

/** Ids the portal gives (actions, VMs …): integers, never reused, safe in JavaScript. */
export const idSchema = z.int().positive()
