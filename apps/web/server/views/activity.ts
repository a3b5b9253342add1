import { idSchema } from '@hearth/shared/names'
import { z } from 'zod'
import { actorSchema, timeSchema, vmRefSchema } from './common.ts'

/** What the activity (audit log) can tell of; a page words each one. */
const activityKinds = [
  'home.setup',
  'session.sign_in',
  'session.sign_in_failed',
  'session.sign_out',
  'vm.create',
  'vm.cancel',
  'vm.start',
  'vm.shutdown',
  'vm.reboot',
  'vm.poweroff',
  'vm.reset',
  'vm.suspend',
  'vm.update',
  'vm.watchdog',
  'vm.protect',
  'vm.snapshot',
  'vm.restore',
  'vm.rebuild',
  'vm.snapshot_delete',
  'vm.schedule',
  'vm.backup',
  'vm.backup_restore',
  'vm.backup_verify',
  'vm.backup_delete',
  'vm.backup_cancel',
  'volume.create',
  'volume.attach',
  'volume.detach',
  'volume.resize',
  'volume.rename',
  'volume.delete',
  'vm.delete',
  'vm.console',
  'vm.recording_start',
  'vm.recording_stop',
  'vm.recording_play',
  'vm.recording_delete',
  'image.build',
  'image.download',
  'image.import',
  'image.upload',
  'image.create',
  'image.update',
  'image.cancel',
  'image.delete',
  'image.settings',
  'ssh_key.create',
  'ssh_key.update',
  'ssh_key.delete',
  'token.create',
  'token.revoke',
  'project.create',
  'project.update',
  'project.delete',
  'member.add',
  'member.update',
  'member.remove',
  'invitation.create',
  'invitation.revoke',
  'quota.update',
  'quota.request',
  'quota.answer',
  'home.update',
  'person.update',
  'person.delete',
  'account.security',
] as const
export const activityKindSchema = z.enum(activityKinds)
export type ActivityKind = z.infer<typeof activityKindSchema>

const activityViewSchema = z.object({
  id: idSchema,
  at: timeSchema,
  kind: activityKindSchema,
  /** One sentence in English, for logs and lists: "Created the VM web-1 from Debian 12". */
  summary: z.string(),
  actor: actorSchema,
  /** Address the request came from; null for what Hearth did itself. */
  from: z.string().nullable(),
  /** `running` and how it ended follow the action; what needs no action succeeded at once. */
  status: z.enum(['running', 'success', 'error']),
  errorMessage: z.string().nullable(),
  vm: vmRefSchema.extend({ deleted: z.boolean() }).nullable(),
  actionId: idSchema.nullable(),
})
export type ActivityView = z.infer<typeof activityViewSchema>

/** Kinds that belong together, by the word before their dot. */
export const activityGroups = {
  vm: ['vm'],
  image: ['image'],
  session: ['session', 'account'],
  access: ['ssh_key', 'token', 'invitation', 'member', 'person'],
  project: ['project', 'quota'],
  home: ['home'],
} as const satisfies Readonly<Record<string, readonly string[]>>
export type ActivityGroup = keyof typeof activityGroups
const activityGroupSchema = z.enum(Object.keys(activityGroups) as [ActivityGroup, ...ActivityGroup[]])

export const activityListInputSchema = z.object({
  vmId: idSchema.optional(),
  /** Words of the sentence, or of who did it. */
  query: z.string().trim().max(100).optional(),
  groups: z.array(activityGroupSchema).max(10).optional(),
  /** Only what failed. */
  failed: z.boolean().optional(),
  /** Not older than this. */
  since: timeSchema.optional(),
  /** `nextCursor` of the page before. */
  cursor: idSchema.nullish(),
  limit: z.int().min(1).max(200).default(50),
})
export const activityPageSchema = z.object({
  items: z.array(activityViewSchema),
  nextCursor: idSchema.nullable(),
})
export type ActivityListInput = z.input<typeof activityListInputSchema>
