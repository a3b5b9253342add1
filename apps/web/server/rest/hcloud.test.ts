/** Hetzner's own command line, as Debian has it, drives the portal: the tool decides whether our answers are what it expects. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { runProgram } from '../testing/run-program.ts'
import { act } from '../testing/showcase/acting-agent.ts'
import { TestPortal } from '../testing/test-portal.ts'

const publicKey =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8XRiSbcDmiiRrUVm2RLhvqCe3Owe6HVjSXQYEcfmOO ada@laptop'
let portal: TestPortal
let token: string

before(async () => {
  portal = await TestPortal.start()
  act(portal.agent)
  const ada = await portal.setUp()
  token = (await ada.trpc.token.create.mutate({ name: 'hcloud', scope: 'write', expiresInDays: 1 })).secret
})
after(() => portal.stop())

const hcloud = (...args: string[]) =>
  runProgram('hcloud', ['--poll-interval', '50ms', ...args], {
    HCLOUD_ENDPOINT: `${portal.url}/api/v1`,
    HCLOUD_TOKEN: token,
  })

async function does(expected: RegExp, ...args: string[]): Promise<void> {
  const { code, output } = await hcloud(...args)
  assert.equal(code, 0, `hcloud ${args.join(' ')}\n${output}`)
  assert.match(output, expected)
}

async function isRefused(expected: RegExp, ...args: string[]): Promise<void> {
  const { code, output } = await hcloud(...args)
  assert.equal(code, 1, `hcloud ${args.join(' ')}\n${output}`)
  assert.match(output, expected)
}

test('hcloud takes a server from its key to its deletion', async () => {
  await does(/SSH key \d+ created/, 'ssh-key', 'create', '--name', 'laptop', '--public-key', publicKey)
  await does(/debian-12/, 'image', 'list')
  await does(/medium +2 /, 'server-type', 'list')
  await does(/home/, 'location', 'list')
  const create = ['server', 'create', '--name', 'one', '--type', 'small', '--image', 'debian-12']
  await does(/Server \d+ created/, ...create, '--ssh-key', 'laptop', '--label', 'env=test')
  await isRefused(/uniqueness_error/, ...create)
  await does(/one +running/, 'server', 'list', '--selector', 'env=test')
  await does(/debian-12[\s\S]*env: test/, 'server', 'describe', 'one')
  await does(/^10\.87\.0\.\d+\s*$/, 'server', 'ip', 'one')
  for (const [verb, done] of [
    ['reset', /reset/],
    ['reboot', /rebooted/],
    ['shutdown', /shut down/],
  ] as const)
    await does(done, 'server', verb, 'one')
  await isRefused(/invalid_state/, 'server', 'poweroff', 'one')
  await isRefused(/not_found/, 'server', 'enable-rescue', 'one')

  await does(/updated/, 'server', 'update', 'one', '--name', 'two')
  await does(/changed to type medium/, 'server', 'change-type', 'two', 'medium')
  await does(/rebuilt/i, 'server', 'rebuild', 'two', '--image', 'tiny-linux')
  await does(/enabled/, 'server', 'enable-protection', 'two', 'delete')
  await isRefused(/protected/, 'server', 'delete', 'two')
  await does(/disabled/, 'server', 'disable-protection', 'two', 'delete')
  await does(/created/, 'server', 'create-image', 'two', '--type', 'snapshot', '--description', 'kept')
  await does(/snapshot +kept/, 'image', 'list')

  await does(/Volume \d+ created/, 'volume', 'create', '--name', 'films', '--size', '10', '--server', 'two')
  await does(/films +10 GB +two/, 'volume', 'list')
  await does(/detached/, 'volume', 'detach', 'films')
  await does(/resized/, 'volume', 'resize', 'films', '--size', '12')
  await does(/deleted/, 'volume', 'delete', 'films')
  await does(/deleted/, 'server', 'delete', 'two')
  assert.equal(await portal.db.vm.count({ where: { deletedAt: null } }), 0)
  await does(/deleted/, 'ssh-key', 'delete', 'laptop')
})

test('hcloud lists what there is, and nothing where Hearth has nothing', async () => {
  await does(/home/, 'location', 'describe', 'home')
  await does(/small/, 'server-type', 'describe', 'small')
  await does(/debian-12/, 'image', 'describe', 'debian-12')
  const { name } = await portal.db.host.findFirstOrThrow()
  await does(new RegExp(`^1 +${name} `, 'm'), 'datacenter', 'list')
  await does(/small/, 'datacenter', 'describe', name)
  for (const what of [
    ...['iso', 'network', 'firewall', 'floating-ip', 'primary-ip'],
    ...['load-balancer', 'load-balancer-type', 'placement-group', 'certificate'],
  ])
    await does(/^ID +[A-Z0-9 ]+\s*$/, what, 'list')
  await isRefused(/not found/, 'network', 'describe', 'none')
  // A disc is an image, and is listed among them, too.
  await portal.db.image.updateMany({ where: { uid: 'debian-12' }, data: { kind: 'iso' } })
  await does(/debian-12/, 'iso', 'list')
})
