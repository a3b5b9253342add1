/** The real agent with the real hearth-vmm and a real guest, in the lab: a VM's life through agent deaths. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import { sharedLabData } from '../../../infra/lab/shared.ts'
import { freePort } from '../../../infra/lib/free-port.ts'
import { cacheDirectory } from '../../../infra/lib/paths.ts'
import { ensureImage } from '../../../infra/recipes/build.ts'
import { tapName } from './network/tap-name.ts'
import { testSpec, until, untilState, vmReport } from './testing/agent-harness.ts'
import { AgentInLab, slow } from './testing/agent-in-lab.ts'
import { GuestShell } from './testing/guest-shell.ts'
import { isMonitorUid } from './vmm/jails.ts'
import { vmSockets } from './vmm/launch.ts'

const guestPort = 7431

let agent: AgentInLab

/** What a TCP server says before it closes; nothing when it is not reached. */
function readAll(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect({ port, host: '127.0.0.1', timeout: 5000 })
    socket.on('data', (data) => {
      text += data.toString()
    })
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
  })
}

// One suite: all lab tests run in one process, where hooks of the root belong to every file.
describe('the agent in the lab', () => {
  before(async () => {
    agent = await AgentInLab.prepare({
      ...{ name: 'agent-lab-test', guestPort },
      state: `${sharedLabData}/agent-lab-test`,
    })
    await ensureImage('tiny-linux', { images: agent.images, cacheDir: cacheDirectory })
    await agent.start()
  })
  after(async () => {
    await agent?.stop()
  })

  test('a guest lives on while agents die, and goes without a trace when it is deleted', async () => {
    const spec = testSpec({ image: 'tiny-linux', name: 'lab-guest', memoryBytes: 256 * MIB })
    const { vmUid } = spec
    const sockets = vmSockets(agent.runDir, vmUid)
    const monitorPid = () => agent.run(`pgrep -f 'unix:${sockets.control}' | grep -v $$ | head -1`)

    await agent.done((actionId) => agent.client.vm.create.mutate({ actionId, spec, start: true }))
    await untilState(agent, vmUid, 'running', slow)
    const shell = await GuestShell.open(agent.port, spec)
    const report = await until('a leased address', async () => {
      const current = await vmReport(agent, vmUid)
      return current?.addresses.length ? current : null
    })
    const address = report.addresses[0]!
    assert.match(await shell.ask('cat /run/address'), new RegExp(address.replaceAll('.', '\\.')))
    assert.match(await shell.ask('hostname'), /lab-guest/)
    const gateway = address.replace(/\d+$/, '1')
    assert.match(await shell.ask(`ping -c 1 -W 5 ${gateway}`), / 0% packet loss/)
    assert.match(await shell.ask('nslookup lab-guest.home.arpa'), new RegExp(address.replaceAll('.', '\\.')))
    assert.match(
      await shell.ask(`nc -w 3 ${gateway} ${guestPort} </dev/null && echo open || echo shut`),
      /^shut$/m,
    )
    assert.match(await shell.ask(`nc -w 3 10.0.2.2 22 </dev/null && echo open || echo shut`), /^shut$/m)
    assert.match(await agent.run(`busybox ping -c 1 -W 5 ${address}`), / 0% packet loss/)

    // A port of the host leads into the guest, from outside the host.
    await shell.ask('(while :; do echo "I am the guest" | nc -l -p 7000; done) & :')
    const forwards = [{ protocol: 'tcp', hostPort: 8090, guestPort: 7000 }] as const
    const forwarding = { ...spec, generation: spec.generation + 1, forwards: [...forwards] }
    await agent.done((actionId) => agent.client.vm.update.mutate({ actionId, spec: forwarding }))
    const outside = await freePort()
    await agent.lab.forward(outside, 8090)
    await until('the guest to answer', async () => /I am the guest/.test(await readAll(outside)), slow)
    await agent.lab.unforward(outside)

    // The monitor is the launcher's child: jailed as docs/jail.md says, with its limits.
    const pid = await monitorPid()
    const jailed = await agent.run(`
      child=$(cat /proc/${pid}/task/${pid}/children); cd /proc/$(echo $child)
      awk '/^(Uid|NoNewPrivs|Seccomp|CapEff):/ { print $1, $2 }' task/*/status | sort -u
      ls root | wc -l; for n in mnt net pid ipc; do [ $(readlink ns/$n) = $(readlink /proc/self/ns/$n) ] && echo shared $n; done
      group=/sys/fs/cgroup$(sed s/^0:://  cgroup); cat $group/cpu.max $group/pids.max; [ $(cat $group/memory.max) -lt $((600 << 20)) ] && echo bounded`)
    const expected = /^CapEff: 0{16}\nNoNewPrivs: 1\nSeccomp: 2\nUid: (\d+)\n0\n200000 100000\n1024\nbounded$/
    assert.match(jailed, expected)
    assert.ok(isMonitorUid(Number(expected.exec(jailed)![1])), jailed)
    await agent.kill()
    assert.equal(await monitorPid(), pid, 'the guest goes on without an agent')
    assert.match(await agent.run(`busybox ping -c 1 -W 5 ${address}`), / 0% packet loss/)
    await agent.start()
    const adopted = await untilState(agent, vmUid, 'running', slow)
    assert.equal(await monitorPid(), pid)
    assert.deepEqual(adopted.addresses, [address])
    const again = await GuestShell.open(agent.port, spec)
    assert.match(again.text, /Tiny Linux/)

    await agent.power(vmUid, 'shutdown')
    const stopped = await untilState(agent, vmUid, 'stopped', slow)
    assert.equal(stopped.exitReason, 'Shut down.')

    // It ends while no agent looks: the next one learns how from the monitor's last words.
    await agent.power(vmUid, 'start')
    await GuestShell.open(agent.port, spec)
    await agent.kill()
    await agent.lab.run(
      process.execPath,
      ['-e', `require('net').connect('${sockets.control}').end('{"id":1,"method":"powerdown"}\\n')`],
      { timeoutMs: slow },
    )
    await until('the monitor to end', async () => (await monitorPid()) === '', slow)
    await agent.start()
    const ended = await untilState(agent, vmUid, 'stopped', slow)
    assert.equal(ended.exitReason, 'The guest powered itself off.')

    await agent.power(vmUid, 'start')
    await agent.done((actionId) => agent.client.vm.delete.mutate({ actionId, vmUid }))
    assert.equal(await vmReport(agent, vmUid), undefined)
    assert.equal(await agent.run(`ls ${agent.state}/vms`), '')
    assert.equal(await agent.run(`ls -d /sys/class/net/${tapName(vmUid)} 2>/dev/null`), '')
    assert.equal(
      await agent.run(`grep -c ${spec.mac} ${agent.state}/dhcp.leases ${agent.runDir}-dns/dhcp-hosts`),
      `${agent.state}/dhcp.leases:0\n${agent.runDir}-dns/dhcp-hosts:0`,
    )
    assert.equal(await monitorPid(), '')
    assert.equal(await agent.run(`ls ${agent.runDir}`), '')
    assert.equal(await agent.run(`find /sys/fs/cgroup -name ${vmUid}`), '')
  })

  test('disks of VMs made from one image share its blocks', async () => {
    const data = 256 * MIB
    const { images } = agent
    const manifest = JSON.parse(await readFile(join(images, 'tiny-linux', 'image.json'), 'utf8'))
    await cp(join(images, 'tiny-linux'), join(images, 'with-disk'), { recursive: true })
    await writeFile(join(images, 'with-disk', 'disk.raw'), randomBytes(data))
    await writeFile(
      join(images, 'with-disk', 'image.json'),
      JSON.stringify({ ...manifest, imageUid: 'with-disk', disk: { file: 'disk.raw', bytes: data } }),
    )
    await until(
      'the image in the catalogue',
      async () => (await agent.client.image.list.query()).some(({ imageUid }) => imageUid === 'with-disk'),
      slow,
    )
    const uids: string[] = []
    const free: number[] = []
    for (let round = 0; round < 2; round++) {
      const spec = testSpec({ image: 'with-disk', memoryBytes: 256 * MIB, diskBytes: 4 * GIB })
      await agent.done((actionId) => agent.client.vm.create.mutate({ actionId, spec, start: false }))
      uids.push(spec.vmUid)
      free.push((await agent.client.host.info.query()).diskAvailableBytes)
    }
    assert.ok(free[0]! - free[1]! < data / 4, `the second disk took ${free[0]! - free[1]!} bytes`)
    for (const vmUid of uids)
      await agent.done((actionId) => agent.client.vm.delete.mutate({ actionId, vmUid }))
  })
})
