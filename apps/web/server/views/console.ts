import { consoleClose, displayClose } from '@hearth/shared/agent-protocol'

/**
 * Close codes of `/console/<vmId>/serial` and `/console/<vmId>/display` towards the page. `unauthorized`: the ticket is used up or too old, or
 * the session has ended; `hostAway`: try again later with a new ticket; `notRunning`: after the last output.
 */
export const portalConsoleClose = {
  ...consoleClose,
  ...displayClose,
  hostAway: 4503,
  portalEnds: 1001,
} as const
