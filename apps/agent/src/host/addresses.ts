/** The addresses by which this box is reached from its own network. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

/** Bridges and links that other software makes for its own guests and containers. */
const inner = /^(hearth\d+|docker\d+|br-[0-9a-f]{12}|virbr\d+|lxcbr\d+|veth.*|cni.*|podman\d+)$/

/** IPv4, without loopback and without networks that exist only inside this box; `bridge` is the guests' own. */
export function hostAddresses(
  bridge: string | null,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): string[] {
  return Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    name === bridge || inner.test(name)
      ? []
      : addresses.flatMap(({ address, family, internal }) =>
          family === 'IPv4' && !internal ? [address] : [],
        ),
  )
}
