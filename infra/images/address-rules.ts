/**
 * Which addresses of the network an image may be fetched from. An address a person gives is asked from inside the
 * home, so by default nothing of the home itself may be reached by it (SSRF): the check is made on the very address
 * that is connected to, for every name, every redirect and every retry, so that a name that changes its mind between
 * check and use (DNS rebinding) gains nothing.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { BuildError } from '../recipes/build-error.ts'

/** IANA's special-purpose registries (RFC 6890): whatever is not globally reachable unicast. */
const special = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  special.addSubnet(net, prefix, 'ipv4')

/** Global unicast is 2000::/3 (RFC 4291); inside it these are not, or lead back to IPv4. */
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')
const specialV6 = new BlockList()
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  specialV6.addSubnet(net, prefix, 'ipv6')

/** Whether an IP address is one of the public Internet. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !special.check(address, 'ipv4')
  // IPv4-mapped addresses (::ffff:0:0/96) are outside 2000::/3 and so refused with all the rest.
  return family === 6 && globalUnicast.check(address, 'ipv6') && !specialV6.check(address, 'ipv6')
}

class PrivateAddressError extends BuildError {
  constructor(host: string) {
    super(
      `${host} is an address of your own network. Fetching images from there is off: an administrator can allow it beside the address.`,
    )
  }
}

/** Parses an address to fetch from. Throws a BuildError that says what is wrong with it. */
export function parseAddress(text: string, options: { allowPrivate: boolean }): URL {
  const url = URL.parse(text)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new BuildError(`${text} is not an address that begins with https:// or http://.`)
  if (url.username !== '' || url.password !== '')
    throw new BuildError('Leave user name and password out of the address: it is shown in the catalogue.')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // A literal address is connected to without any look-up.
  if (!options.allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw new PrivateAddressError(host)
  return url
}

/** For `http.request`: resolves as the system does and refuses names that lead into the own network. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error) return callback(error, '', 0)
    // One private address among public ones is refused too: which of them is connected to is not ours to choose.
    if (found.length === 0 || found.some(({ address }) => !isPublicAddress(address)))
      return callback(new PrivateAddressError(hostname), '', 0)
    if (options.all) callback(null, found)
    else callback(null, found[0]!.address, found[0]!.family)
  })
}
