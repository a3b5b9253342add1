/** How guests reach the network: NAT with a bridge where the agent is root, passt where it is not. */
import type { Firewall, PortForward } from '@hearth/shared/network'
import type { NetOption } from '@hearth/vmm'
import type { ProcessIdentity } from '../host/process-identity.ts'
import type { VmSockets } from '../vmm/launch.ts'

export interface Guest {
  vmUid: string
  name: string
  mac: string
  /** Its fixed IPv4 address; null with passt, which hands out the host's own, and on a bridge, whose network does. */
  address: string | null
  /** A bridge of the box's own network, instead of the guests' one. */
  bridge?: string | undefined
  /** Ports of this box that lead to it. */
  forwards?: readonly PortForward[] | undefined
  /** Absent: open to whom the network lets through. */
  firewall?: Firewall | undefined
}

export interface Attachment {
  net: NetOption
  passt: ProcessIdentity | null
}

export interface GuestNetwork {
  readonly kind: 'nat' | 'passt'
  /** The guests' own bridge; null without one. */
  readonly bridge: string | null
  /** Brings the network up; `running` are the guests that use it already. */
  start(guests: Guest[], running: Guest[]): Promise<void>
  /** A free fixed address for a new guest; null where the network gives none. */
  chooseAddress(taken: Iterable<string>): string | null
  /** An address kept from an earlier run, moved into the network as it is now. */
  currentAddress(address: string | null): string | null
  /** Makes names, addresses, forwarded ports and firewalls known to be exactly these. */
  setGuests(guests: Guest[]): Promise<void>
  attach(guest: Guest, sockets: VmSockets, logFile: string): Promise<Attachment>
  detach(vmUid: string, passt: ProcessIdentity | null): Promise<void>
  /** Addresses DHCP gave a MAC, IPv4 first. */
  addresses(mac: string): string[]
  /** Ends what the agent runs for the network; with guests still running, all they need stays. */
  stop(guestsRunning: boolean): Promise<void>
}
