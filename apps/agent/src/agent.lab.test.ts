/** The real agent with the real hearth-vmm and a real guest, in the lab: a VM's life through agent deaths. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { GIB, MIB } from '@hearth/shared/units'
import { agentEntry, buildPrograms, vmmEntry } from '../../../infra/build/programs.ts'
import type { Lab } from '../../../infra/lab/lab.ts'
import type { LabProcess } from '../../../infra/lab/lab-process.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../infra/lab/shared.ts'
import { freePort } from '../../../infra/lib/free-port.ts'
import { cacheDirectory } from '../../../infra/lib/paths.ts'
import { ensureImage } from '../../../infra/recipes/build.ts'
import { tapName } from './network/tap-name.ts'
import {
  actionEnd,
  connectAgent,
  nextActionId,
  openConsole,
  testSpec,
  testToken,
  until,
  untilState,
  vmReport,
} from './testing/agent-harness.ts'
import { isMonitorUid } from './vmm/jails.ts'
import { vmSockets } from './vmm/launch.ts'

/** The lab's CPU is emulated, and the machine under it may be busy. */
const slow = 300_000
const guestPort = 7431
const runDir = '/run/agent-lab-test'
const prompt = 'lab-guest:/root# '

let lab: Lab
let folder: string
let state: string
let port: number
let connection: ReturnType<typeof connectAgent>
let agentProcess: LabProcess
let agentLog = ''

async function startAgentInLab(): Promise<void> {
  agentLog = ''
  agentProcess = lab.spawn(
    process.execPath,
    [
      ...[agentEntry, '--state', state, '--images', join(folder, 'images'), '--run-dir', runDir],
      ...['--listen', `0.0.0.0:${guestPort}`, '--token-file', join(folder, 'token')],
      ...['--builder', 'http://10.0.2.2:9', '--builder-token-file', join(folder, 'token')],
      ...['--kind', 'lab', '--vmm', vmmEntry],
    ],
    {
      onStderr: (chunk) => {
        agentLog += chunk.toString()
      },
    },
  )
  await until('the agent in the lab', () => / agent is up /.test(agentLog), slow).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${agentLog}`)
  })
  connection = connectAgent(port)
}

async function killAgent(): Promise<void> {
  await connection.close()
  agentProcess.kill('SIGKILL')
  assert.equal((await agentProcess.exit).signal, 'SIGKILL')
}

async function inLab(command: string): Promise<string> {
  return (await lab.run('sh', ['-c', command], { timeoutMs: slow })).stdout.trim()
}

async function power(vmUid: string, op: 'start' | 'shutdown' | 'poweroff' | 'reset') {
  const actionId = nextActionId()
  await connection.client.vm.power.mutate({ actionId, vmUid, op })
  return actionEnd(connection, actionId, slow)
}

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
    await buildPrograms()
    lab = await sharedLab()
    folder = join(sharedScratch(), 'agent')
    state = `${sharedLabData}/agent-lab-test`
    await mkdir(join(folder, 'images'), { recursive: true })
    await writeFile(join(folder, 'token'), testToken)
    await ensureImage('tiny-linux', { images: join(folder, 'images'), cacheDir: cacheDirectory })
    port = await freePort()
    await lab.forward(port, guestPort)
    await startAgentInLab()
  })
  after(async () => {
    await connection?.close()
    await agentProcess?.stop()
  })

  test('a guest lives on while agents die, and goes without a trace when it is deleted', async () => {
    const spec = testSpec({ image: 'tiny-linux', name: 'lab-guest', memoryBytes: 256 * MIB })
    const { vmUid } = spec
    const sockets = vmSockets(runDir, vmUid)
    const monitorPid = () => inLab(`pgrep -f 'unix:${sockets.control}' | grep -v $$ | head -1`)

    const create = nextActionId()
    await connection.client.vm.create.mutate({ actionId: create, spec, start: true })
    const created = await actionEnd(connection, create, slow)
    assert.equal(created.status, 'success', JSON.stringify(created.error))
    await untilState(connection, vmUid, 'running', slow)
    const viewer = openConsole(port, vmUid)
    await until('the shell', () => viewer.text().includes(prompt), slow).catch(async (error: unknown) => {
      const logs = await inLab(`cd ${state}/vms/${vmUid}; cat vmm.log; ls -la; tail -c 300 serial.log`)
      throw new Error(
        `${String(error)}\n--- viewer: ${viewer.text().slice(-300)}\n--- host: ${logs}\n${agentLog}`,
      )
    })

    const ask = async (command: string, answer: RegExp) => {
      const from = viewer.text().length
      // The mark is split so that the echo of the command line is not taken for the answer.
      viewer.socket.send(Buffer.from(`${command}; echo 'an''swered'\n`))
      const said = () => viewer.text().slice(from)
      await until(`an answer to ${command}`, () => said().includes('answered'), slow)
      assert.match(said(), answer)
    }
    const report = await until('a leased address', async () => {
      const current = await vmReport(connection, vmUid)
      return current?.addresses.length ? current : null
    })
    const address = report.addresses[0]!
    await ask('cat /run/address', new RegExp(address.replaceAll('.', '\\.')))
    await ask('hostname', /lab-guest/)
    const gateway = address.replace(/\d+$/, '1')
    await ask(`ping -c 1 -W 5 ${gateway}`, / 0% packet loss/)
    await ask('nslookup lab-guest.home.arpa', new RegExp(address.replaceAll('.', '\\.')))
    await ask(`nc -w 3 ${gateway} ${guestPort} </dev/null && echo open || echo shut`, /\nshut/)
    await ask(`nc -w 3 10.0.2.2 22 </dev/null && echo open || echo shut`, /\nshut/)
    assert.match(await inLab(`busybox ping -c 1 -W 5 ${address}`), / 0% packet loss/)

    // A port of the host leads into the guest, from outside the host.
    viewer.socket.send(Buffer.from('while :; do echo "I am the guest" | nc -l -p 7000; done &\n'))
    const forwards = [{ protocol: 'tcp', hostPort: 8090, guestPort: 7000 }] as const
    const update = nextActionId()
    await connection.client.vm.update.mutate({
      actionId: update,
      spec: { ...spec, generation: spec.generation + 1, forwards: [...forwards] },
    })
    assert.equal((await actionEnd(connection, update, slow)).status, 'success')
    const outside = await freePort()
    await lab.forward(outside, 8090)
    await until('the guest to answer', async () => /I am the guest/.test(await readAll(outside)), slow)
    await lab.unforward(outside)

    // The monitor is the launcher's child: jailed as docs/jail.md says, with its limits.
    const pid = await monitorPid()
    const jailed = await inLab(`
      child=$(cat /proc/${pid}/task/${pid}/children); cd /proc/$(echo $child)
      awk '/^(Uid|NoNewPrivs|Seccomp|CapEff):/ { print $1, $2 }' task/*/status | sort -u
      ls root | wc -l; for n in mnt net pid ipc; do [ $(readlink ns/$n) = $(readlink /proc/self/ns/$n) ] && echo shared $n; done
      group=/sys/fs/cgroup$(sed s/^0:://  cgroup); cat $group/cpu.max $group/pids.max; [ $(cat $group/memory.max) -lt $((600 << 20)) ] && echo bounded`)
    const expected = /^CapEff: 0{16}\nNoNewPrivs: 1\nSeccomp: 2\nUid: (\d+)\n0\n200000 100000\n1024\nbounded$/
    assert.match(jailed, expected)
    assert.ok(isMonitorUid(Number(expected.exec(jailed)![1])), jailed)
    await killAgent()
    assert.equal(await monitorPid(), pid, 'the guest goes on without an agent')
    assert.match(await inLab(`busybox ping -c 1 -W 5 ${address}`), / 0% packet loss/)
    await startAgentInLab()
    const adopted = await untilState(connection, vmUid, 'running', slow)
    assert.equal(await monitorPid(), pid)
    assert.deepEqual(adopted.addresses, [address])
    const again = openConsole(port, vmUid)
    await until('the boot text', () => again.text().includes('Tiny Linux'), slow)

    assert.equal((await power(vmUid, 'shutdown')).status, 'success')
    const stopped = await untilState(connection, vmUid, 'stopped', slow)
    assert.equal(stopped.exitReason, 'Shut down.')

    // It ends while no agent looks: the next one learns how from the monitor's last words.
    assert.equal((await power(vmUid, 'start')).status, 'success')
    const inner = openConsole(port, vmUid)
    await until('the shell', () => inner.text().includes(prompt), slow)
    await killAgent()
    await lab.run(
      process.execPath,
      ['-e', `require('net').connect('${sockets.control}').end('{"id":1,"method":"powerdown"}\\n')`],
      { timeoutMs: slow },
    )
    await until('the monitor to end', async () => (await monitorPid()) === '', slow)
    await startAgentInLab()
    const ended = await untilState(connection, vmUid, 'stopped', slow)
    assert.equal(ended.exitReason, 'The guest powered itself off.')

    assert.equal((await power(vmUid, 'start')).status, 'success')
    const remove = nextActionId()
    await connection.client.vm.delete.mutate({ actionId: remove, vmUid })
    const removed = await actionEnd(connection, remove, slow)
    assert.equal(removed.status, 'success', JSON.stringify(removed.error))
    assert.equal(await vmReport(connection, vmUid), undefined)
    assert.equal(await inLab(`ls ${state}/vms`), '')
    assert.equal(await inLab(`ls -d /sys/class/net/${tapName(vmUid)} 2>/dev/null`), '')
    assert.equal(
      await inLab(`grep -c ${spec.mac} ${state}/dhcp.leases ${runDir}-dns/dhcp-hosts`),
      `${state}/dhcp.leases:0\n${runDir}-dns/dhcp-hosts:0`,
    )
    assert.equal(await monitorPid(), '')
    assert.equal(await inLab(`ls ${runDir}`), '')
    assert.equal(await inLab(`find /sys/fs/cgroup -name ${vmUid}`), '')
  })

  test('disks of VMs made from one image share its blocks', async () => {
    const data = 256 * MIB
    const images = join(folder, 'images')
    const manifest = JSON.parse(await readFile(join(images, 'tiny-linux', 'image.json'), 'utf8'))
    await cp(join(images, 'tiny-linux'), join(images, 'with-disk'), { recursive: true })
    await writeFile(join(images, 'with-disk', 'disk.raw'), randomBytes(data))
    await writeFile(
      join(images, 'with-disk', 'image.json'),
      JSON.stringify({ ...manifest, imageUid: 'with-disk', disk: { file: 'disk.raw', bytes: data } }),
    )
    await until(
      'the image in the catalogue',
      async () =>
        (await connection.client.image.list.query()).some(({ imageUid }) => imageUid === 'with-disk'),
      slow,
    )
    const uids: string[] = []
    const free: number[] = []
    for (let round = 0; round < 2; round++) {
      const spec = testSpec({ image: 'with-disk', memoryBytes: 256 * MIB, diskBytes: 4 * GIB })
      const actionId = nextActionId()
      await connection.client.vm.create.mutate({ actionId, spec, start: false })
      const report = await actionEnd(connection, actionId, slow)
      assert.equal(report.status, 'success', JSON.stringify(report.error))
      uids.push(spec.vmUid)
      free.push((await connection.client.host.info.query()).diskAvailableBytes)
    }
    assert.ok(free[0]! - free[1]! < data / 4, `the second disk took ${free[0]! - free[1]!} bytes`)
    for (const vmUid of uids) {
      const actionId = nextActionId()
      await connection.client.vm.delete.mutate({ actionId, vmUid })
      assert.equal((await actionEnd(connection, actionId, slow)).status, 'success')
    }
  })
})
