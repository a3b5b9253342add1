import { consoleClose } from '@hearth/shared/agent-protocol'

/**
 * Close codes of `/console/<vmId>/serial` towards the page. `unauthorized`: the ticket is used up or too old, or
 * the session has ended; `hostAway`: try again later with a new ticket; `notRunning`: after the last output.
 */
export const portalConsoleClose = { ...consoleClose, hostAway: 4503, portalEnds: 1001 } as const
