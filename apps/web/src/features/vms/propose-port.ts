import { type PortProtocol, portKey, portSchema, reservedPorts } from '@hearth/shared/network'

/** The guest's own port, or 8000 above it where that is a well-known one: the first that nobody has. */
export function proposeHostPort(
  protocol: PortProtocol,
  guestPort: number,
  taken: ReadonlySet<string>,
): number | null {
  if (!portSchema.safeParse(guestPort).success) return null
  let port = guestPort < 1024 ? guestPort + 8000 : guestPort
  while (port <= 65535 && (port in reservedPorts || taken.has(portKey({ protocol, hostPort: port })))) port++
  return port <= 65535 ? port : null
}
