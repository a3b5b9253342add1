/** The right to open a console: asked for with a session, used once by a WebSocket upgrade within seconds. */
import { HearthError } from '@hearth/shared/errors'
import { includesRole, projectRoleSchema } from '../auth/privilege.ts'
import { hashToken, newToken } from '../auth/secrets.ts'
import type { ServiceContext } from './context.ts'
import type { PortalServices } from './types.ts'
import { recordConsole } from './vm-change.ts'
import { ensureAble } from './vm-rules.ts'
import { conditionOf, findVm } from './vms.ts'

const lifetimeMs = 30_000

export interface ConsoleGrant {
  vmId: number
  vmUid: string
  hostId: number
  userId: string
  sessionId: string
}

export function consolesService(context: ServiceContext): PortalServices['consoles'] {
  const { db } = context
  return {
    async open(viewer, vmId) {
      const { sessionId } = viewer
      if (sessionId === null)
        throw new HearthError('forbidden', 'A console is opened in the portal, not with a token.')
      const ticket = newToken()
      await db.$transaction(async (tx) => {
        const vm = await findVm(tx, vmId)
        ensureAble('console', conditionOf(context, vm))
        const now = Date.now()
        // Old ones are of no use to anybody.
        await tx.consoleTicket.deleteMany({ where: { expiresAt: { lt: new Date(now - 3600_000) } } })
        await tx.consoleTicket.create({
          data: {
            ticketHash: hashToken(ticket),
            vmId,
            userId: viewer.userId,
            sessionId,
            expiresAt: new Date(now + lifetimeMs),
          },
        })
        await recordConsole(tx, viewer, vm)
      })
      return { ticket, url: `/console/${vmId}/serial?ticket=${ticket}` }
    },
  }
}

/** Consumes a ticket; null when it is unknown, used, too old, of another VM, or its session has ended. */
export async function consumeTicket(
  { db }: ServiceContext,
  ticket: string,
  vmId: number,
): Promise<ConsoleGrant | null> {
  const ticketHash = hashToken(ticket)
  const now = new Date()
  // One UPDATE decides: of two sockets with the same ticket the second changes nothing.
  const used = await db.consoleTicket.updateMany({
    where: { ticketHash, vmId, usedAt: null, expiresAt: { gt: now } },
    data: { usedAt: now },
  })
  if (used.count === 0) return null
  const row = await db.consoleTicket.findUniqueOrThrow({ where: { ticketHash }, include: { vm: true } })
  const grant = {
    vmId,
    vmUid: row.vm.vmUid,
    hostId: row.vm.hostId,
    userId: row.userId,
    sessionId: row.sessionId,
  }
  return (await mayStay({ db }, grant)) ? grant : null
}

/** Whether a console that is open may stay open: its session lives, its VM is there and still theirs to use. */
export async function mayStay(
  { db }: Pick<ServiceContext, 'db'>,
  grant: Pick<ConsoleGrant, 'vmId' | 'userId' | 'sessionId'>,
): Promise<boolean> {
  const [session, vm] = await Promise.all([
    db.session.findFirst({
      where: { id: grant.sessionId, userId: grant.userId, expiresAt: { gt: new Date() } },
      include: { user: { include: { memberships: true } } },
    }),
    db.vm.findFirst({ where: { id: grant.vmId, deletedAt: null } }),
  ])
  if (!session || !vm) return false
  const { role, memberships } = session.user
  if (role === 'admin') return true
  // Whoever may only look could type into a serial console: it takes a member.
  const membership = memberships.find(({ projectId }) => projectId === vm.projectId)
  return membership !== undefined && includesRole(projectRoleSchema.parse(membership.role), 'member')
}
