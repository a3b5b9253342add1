import type { Auth } from '../auth/auth.ts'
import { ensurePrivilege } from './access.ts'
import { actionsService } from './actions.ts'
import { activityService } from './activity.ts'
import { backupsService } from './backups.ts'
import { consolesService } from './consoles.ts'
import type { ServiceContext } from './context.ts'
import { hostsService, sizesService } from './hosts.ts'
import { imagesService } from './images.ts'
import { invitationsService } from './invitations.ts'
import { labelsService } from './labels.ts'
import { membersService } from './members.ts'
import { metricsService } from './metrics.ts'
import { homeService, personsService } from './persons.ts'
import { projectsService } from './projects.ts'
import { quotaService } from './quota-requests.ts'
import { recordingsService } from './recordings.ts'
import { sessionService } from './session.ts'
import { setupService } from './setup.ts'
import { snapshotsService } from './snapshots.ts'
import { sshKeysService } from './ssh-keys.ts'
import { tokensService } from './tokens.ts'
import type { PortalServices } from './types.ts'
import { vmsService } from './vms.ts'
import { volumesService } from './volumes.ts'

export function createServices(
  context: ServiceContext,
  auth: Pick<Auth, 'hashPassword' | 'verifyPassword'>,
): PortalServices {
  const hashPassword = (password: string) => auth.hashPassword(password)
  return {
    access: {
      ensure: (viewer, privilege, input) => ensurePrivilege(context.db, viewer, privilege, input),
    },
    session: sessionService(context, auth),
    setup: setupService(context, hashPassword),
    projects: projectsService(context),
    members: membersService(context),
    invitations: invitationsService(context, hashPassword),
    quota: quotaService(context),
    home: homeService(context),
    persons: personsService(context),
    hosts: hostsService(context),
    sizes: sizesService(context),
    images: imagesService(context),
    vms: vmsService(context),
    snapshots: snapshotsService(context),
    metrics: metricsService(context),
    volumes: volumesService(context),
    backups: backupsService(context),
    actions: actionsService(context),
    activity: activityService(context),
    sshKeys: sshKeysService(context),
    tokens: tokensService(context),
    labels: labelsService(context),
    consoles: consolesService(context),
    recordings: recordingsService(context),
  }
}
