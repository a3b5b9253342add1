/**
 * A way from this machine to the guests inside the lab: a TAP interface as the lab's second network card, and a
 * route to the guests' network through it, so that `ssh debian@10.83.0.12` works here as it would on a host of
 * its own. Needs root; without it the lab has its user network alone.
 */
import { networkInterfaces } from 'node:os'
import { isAlive } from '../lib/process.ts'
import { run } from '../lib/run.ts'
import { lockFile } from './file-lock.ts'
import { LabError } from './lab-error.ts'

export interface GuestRoute extends AsyncDisposable {
  readonly interfaceName: string
  /** The lab's end of the link, with its prefix length. */
  readonly labAddress: string
  /** The guests' network, free on this machine when it was chosen: `10.83.0.0/24`. */
  readonly subnet: string
}

const PREFIX = 'hlab'
/** Held from looking what is free to having taken it: labs may start at once. */
const LOCK = '/run/hearth-lab-route.lock'

export const canRouteToGuests = (): boolean => process.getuid?.() === 0

export async function openGuestRoute(): Promise<GuestRoute> {
  await using _lock = await lockFile(LOCK)
  const interfaces = await ipJson<{ ifname: string }[]>('link', 'show')
  for (const { ifname } of interfaces) await removeIfAbandoned(ifname)
  const taken = await takenNetworks()
  const free = (second: number): number => {
    for (let third = 0; third < 256; third++) {
      if (!taken.some((network) => network.startsWith(`10.${second}.${third}.`))) return third
    }
    throw new LabError(`All networks from 10.${second}.0.0 to 10.${second}.255.0 are in use on this machine.`)
  }
  const link = `10.84.${free(84)}`
  const subnet = `10.83.${free(83)}.0/24`
  const interfaceName = await freeName(interfaces.map(({ ifname }) => ifname))
  await ip('tuntap', 'add', 'dev', interfaceName, 'mode', 'tap')
  const remove = async (): Promise<void> => {
    await run('ip', ['tuntap', 'del', 'dev', interfaceName, 'mode', 'tap'])
  }
  try {
    await ip('address', 'add', `${link}.1/30`, 'dev', interfaceName)
    await ip('link', 'set', interfaceName, 'up')
    await ip('route', 'add', subnet, 'via', `${link}.2`)
  } catch (error) {
    await remove()
    throw error
  }
  return { interfaceName, labAddress: `${link}.2/30`, subnet, [Symbol.asyncDispose]: remove }
}

/** Our process id makes the name our own, and tells later who is to be asked whether it is still needed. */
async function freeName(names: readonly string[]): Promise<string> {
  for (let index = 0; ; index++) {
    const name = `${PREFIX}${process.pid}${index === 0 ? '' : `.${index}`}`
    if (!names.includes(name)) return name
  }
}

async function removeIfAbandoned(name: string): Promise<void> {
  const pid = new RegExp(`^${PREFIX}(\\d+)`).exec(name)?.[1]
  if (pid === undefined || isAlive(Number(pid))) return
  await run('ip', ['tuntap', 'del', 'dev', name, 'mode', 'tap'])
}

/** Addresses and route targets of this machine, as `10.83.0.0/24` or `10.83.0.1`. */
async function takenNetworks(): Promise<string[]> {
  const routes = await ipJson<{ dst: string }[]>('route', 'show', 'table', 'all')
  const addresses = Object.values(networkInterfaces()).flatMap(
    (list) => list?.map((entry) => entry.address) ?? [],
  )
  return [...routes.map(({ dst }) => dst), ...addresses]
}

async function ip(...args: string[]): Promise<string> {
  const result = await run('ip', args)
  if (result.code !== 0)
    throw new LabError(`The way to the lab's guests could not be made (ip ${args.join(' ')}): ${result.tail}`)
  return result.stdout
}

async function ipJson<T>(...args: string[]): Promise<T> {
  return JSON.parse((await ip('-json', ...args)) || '[]') as T
}
