/** The addresses by which this box is reached from its own network. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { bridgeNameSchema } from '@hearth/shared/network'

/** Bridges and links that other software makes for its own guests and containers. */
const inner = /^(hearth\d+|docker\d+|br-[0-9a-f]{12}|virbr\d+|lxcbr\d+|veth.*|cni.*|podman\d+)$/

/** Bridges of this box that somebody made for its own network: not the guests', and none of other software's. */
export async function foreignBridges(own: string | null): Promise<string[]> {
  const names = await readdir('/sys/class/net').catch(() => [])
  return names
    .filter((name) => name !== own && !inner.test(name) && existsSync(`/sys/class/net/${name}/bridge`))
    .filter((name) => bridgeNameSchema.safeParse(name).success)
    .sort()
}

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
