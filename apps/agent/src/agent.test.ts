/** The real agent program with a stand-in for hearth-vmm: a VM's life, its interruptions, and refusals. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { consoleClose, displayClose, type PowerOp } from '@hearth/shared/agent-protocol'
import { GIB, MIB } from '@hearth/shared/units'
import { TRPCClientError } from '@trpc/client'
import { WebSocket } from 'ws'
import { findProcessesByArgument, readBootId } from './host/process-identity.ts'
import { tapName } from './network/tap-name.ts'
import { maxViewersPerVm } from './server/agent-server.ts'
import {
  type AgentProcess,
  actionEnd,
  collectEvents,
  nextActionId,
  openConsole,
  openDisplay,
  startAgent,
  startBuilder,
  TestBox,
  testSpec,
  testToken,
  until,
  untilState,
  vmReport,
} from './testing/agent-harness.ts'
import { inOwnNetwork } from './testing/own-network.ts'
import { vmSockets } from './vmm/launch.ts'

function hearthCode(error: unknown): string | undefined {
  const data = error instanceof TRPCClientError ? (error.data as { hearth?: { code: string } }) : undefined
  return data?.hearth?.code
}

const refusedWith = (code: string) => (error: unknown) => {
  assert.equal(hearthCode(error), code, String(error))
  return true
}

inOwnNetwork(import.meta.url, () => {
  describe('one agent', () => {
    let box: TestBox
    let agent: AgentProcess
    const monitorOf = (vmUid: string) =>
      findProcessesByArgument(`unix:${vmSockets(box.runDir, vmUid).control}`, readBootId())

    before(async () => {
      box = await TestBox.create()
      await box.addImage({ imageUid: 'test' })
      await box.addImage({ imageUid: 'deaf', cmdline: 'ignore-powerdown ignore-quit' })
      await box.addImage({ imageUid: 'broken', cmdline: 'fail-start' })
      await box.addImage({ imageUid: 'hanging', cmdline: 'bite' })
      await box.addImage({ imageUid: 'full', cmdline: 'fail-snapshot' })
      await box.addImage({ imageUid: 'disk', diskBytes: 8 * MIB, cloudInit: true })
      agent = await startAgent(box)
    })
    after(async () => {
      for (const vm of await agent.client.vm.list.query()) {
        const actionId = nextActionId()
        await agent.client.vm.power.mutate({ actionId, vmUid: vm.vmUid, op: 'poweroff' })
        await actionEnd(agent, actionId)
      }
      await agent.end('SIGTERM')
      await box.remove()
    })

    async function create(change: Parameters<typeof testSpec>[0] = {}, start = true) {
      const spec = testSpec(change)
      const accepted = await agent.client.vm.create.mutate({ actionId: nextActionId(), spec, start })
      assert.equal(accepted.status, 'running')
      return { spec, report: await actionEnd(agent, accepted.actionId) }
    }
    async function power(vmUid: string, op: PowerOp) {
      const actionId = nextActionId()
      await agent.client.vm.power.mutate({ actionId, vmUid, op })
      return actionEnd(agent, actionId)
    }

    test('a VM is created, started, shut down, started again and deleted without a trace', async () => {
      const { spec, report } = await create({ image: 'disk', diskBytes: 1 * GIB })
      assert.equal(report.status, 'success', JSON.stringify(report))
      const running = await untilState(agent, spec.vmUid, 'running')
      assert.equal(running.diskBytes, 1 * GIB)
      const folder = join(box.state, 'vms', spec.vmUid)
      assert.equal((await stat(join(folder, 'disk.raw'))).size, 1 * GIB)
      assert.ok((await stat(join(folder, 'seed.iso'))).size > 0)
      assert.ok(existsSync(`/sys/class/net/${tapName(spec.vmUid)}`))
      assert.match(readFileSync(join(`${box.runDir}-dns`, 'dhcp-hosts'), 'utf8'), new RegExp(spec.mac))

      // When memory runs out a guest goes before the agent does.
      const score = (pid: number) => Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1'))
      for (const { pid } of monitorOf(spec.vmUid)) assert.equal(score(pid), 300)
      // CAP_SYS_RESOURCE (bit 24), which some containers withhold even from root.
      const capabilities = /^CapEff:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]
      const may = (BigInt(`0x${capabilities}`) >> 24n) & 1n
      assert.equal(score(agent.child.pid!), may ? -900 : score(process.pid))

      assert.equal((await power(spec.vmUid, 'shutdown')).status, 'success')
      const stopped = await untilState(agent, spec.vmUid, 'stopped')
      assert.equal(stopped.exitReason, 'Shut down.')
      assert.equal(existsSync(`/sys/class/net/${tapName(spec.vmUid)}`), false)
      assert.equal((await power(spec.vmUid, 'start')).status, 'success')
      assert.equal((await power(spec.vmUid, 'reset')).status, 'success')
      const before = monitorOf(spec.vmUid)
      assert.equal((await power(spec.vmUid, 'reboot')).status, 'success')
      await untilState(agent, spec.vmUid, 'running')
      assert.notDeepEqual(monitorOf(spec.vmUid), before)

      const actionId = nextActionId()
      await agent.client.vm.delete.mutate({ actionId, vmUid: spec.vmUid })
      assert.equal((await actionEnd(agent, actionId)).status, 'success')
      assert.equal(await vmReport(agent, spec.vmUid), undefined)
      assert.equal(existsSync(folder), false)
      assert.equal(existsSync(`/sys/class/net/${tapName(spec.vmUid)}`), false)
      assert.deepEqual(monitorOf(spec.vmUid), [])
      assert.doesNotMatch(readFileSync(join(`${box.runDir}-dns`, 'dhcp-hosts'), 'utf8'), new RegExp(spec.mac))
      assert.deepEqual(readdirSync(join(box.state, 'vms')), [])
    })

    test('no huge pages lie behind stacks, here or in monitors, unless the box has them for guests', (t) => {
      const status = readFileSync(`/proc/${agent.child.pid}/status`, 'latin1')
      const enabled = /^THP_enabled:\s+(\d)$/m.exec(status)?.[1]
      if (enabled === undefined) return t.skip('this kernel does not say')
      const setting = readFileSync('/sys/kernel/mm/transparent_hugepage/shmem_enabled', 'latin1')
      assert.equal(enabled, /\[(never|deny)\]/.test(setting) ? '0' : '1')
    })

    test('forwarded ports are the kernel’s rules while the VM is there; what is taken is refused', async () => {
      const rules = () => spawnSync('nft', ['list', 'table', 'inet', 'hearth'], { encoding: 'utf8' }).stdout
      const { spec } = await create({}, false)
      const update = (change: object) =>
        agent.client.vm.update.mutate({
          actionId: nextActionId(),
          spec: { ...spec, generation: ++spec.generation, ...change },
        })
      const forwards = [{ protocol: 'tcp', hostPort: 8081, guestPort: 80 }] as const
      const firewall = { from: 'home', ports: null } as const
      const done = await actionEnd(agent, (await update({ forwards, firewall })).actionId)
      assert.equal(done.status, 'success', JSON.stringify(done))
      assert.match(rules(), /tcp \. 8081 : 10\.83\.\d+\.\d+ \. 80/)
      assert.match(rules(), /jump guard_10_83_/)
      const other = await create({}, false)
      await assert.rejects(
        agent.client.vm.update.mutate({
          actionId: nextActionId(),
          spec: { ...other.spec, generation: other.spec.generation + 1, forwards: [...forwards] },
        }),
        /Port 8081 \(TCP\) of this host leads to/,
      )
      const own = [{ protocol: 'tcp', hostPort: agent.port, guestPort: 80 }]
      await assert.rejects(
        update({ forwards: [...forwards, ...own] }),
        /in use by a program of the host itself/,
      )
      const actionId = nextActionId()
      await agent.client.vm.delete.mutate({ actionId, vmUid: spec.vmUid })
      await actionEnd(agent, actionId)
      assert.doesNotMatch(rules(), /8081|guard_/)
    })

    test('a VM on a bridge of the box is a port of that bridge, while it is off only', async () => {
      spawnSync('ip', ['link', 'add', 'br-home', 'type', 'bridge'])
      assert.ok((await agent.client.host.info.query()).bridges?.includes('br-home'))
      const { spec } = await create({ bridge: 'br-home' })
      const tap = tapName(spec.vmUid)
      assert.ok(existsSync(`/sys/class/net/br-home/brif/${tap}`))
      const rules = spawnSync('nft', ['list', 'table', 'bridge', 'hearth'], { encoding: 'utf8' }).stdout
      assert.match(rules, new RegExp(`"${tap}" \\. ${spec.mac}`))
      assert.doesNotMatch(readFileSync(join(`${box.runDir}-dns`, 'dhcp-hosts'), 'utf8'), new RegExp(spec.mac))
      const { bridge: _, ...moved } = { ...spec, generation: 2 }
      const update = (next: typeof moved) =>
        agent.client.vm.update.mutate({ actionId: nextActionId(), spec: next })
      await assert.rejects(update(moved), /Shut it down first/)
      await power(spec.vmUid, 'poweroff')
      assert.equal((await actionEnd(agent, (await update(moved)).actionId)).status, 'success')
      await power(spec.vmUid, 'start')
      assert.ok(existsSync(`/sys/class/net/hearth0/brif/${tap}`))
      assert.match(readFileSync(join(`${box.runDir}-dns`, 'dhcp-hosts'), 'utf8'), new RegExp(spec.mac))
      await power(spec.vmUid, 'poweroff')
      await assert.rejects(create({ bridge: 'br-none' }), /no bridge br-none/)
    })

    test('the same action id again returns the first result; the same VM with another id is refused', async () => {
      const { spec, report } = await create({}, false)
      const again = await agent.client.vm.create.mutate({
        actionId: report.actionId,
        spec: testSpec({ vmUid: spec.vmUid }),
        start: true,
      })
      assert.deepEqual(again, report)
      await assert.rejects(
        agent.client.vm.create.mutate({ actionId: nextActionId(), spec, start: false }),
        refusedWith('uniqueness_error'),
      )
      assert.equal((await vmReport(agent, spec.vmUid))?.state, 'stopped')
    })

    test('a creation that cannot be says why and leaves nothing', async () => {
      for (const change of [
        { image: 'disk', diskBytes: 1 * GIB, memoryBytes: 64 * MIB, cpus: 32 },
        { image: 'unheard-of' },
      ]) {
        await assert.rejects(
          agent.client.vm.create.mutate({ actionId: nextActionId(), spec: testSpec(change), start: true }),
        )
      }
      const { spec, report } = await create({ image: 'broken' })
      assert.equal(report.error?.code, 'host_refused')
      assert.match(report.error?.message ?? '', /\/dev\/kvm: not on this host/)
      assert.equal((await vmReport(agent, spec.vmUid))?.state, 'crashed')
    })

    test('a guest deaf to the power button and a monitor deaf to quit still end by power off', async () => {
      const { spec } = await create({ image: 'deaf' })
      const shutdown = nextActionId()
      await agent.client.vm.power.mutate({ actionId: shutdown, vmUid: spec.vmUid, op: 'shutdown' })
      await untilState(agent, spec.vmUid, 'stopping')
      for (const op of ['start', 'reset', 'shutdown'] as const) {
        await assert.rejects(
          agent.client.vm.power.mutate({ actionId: nextActionId(), vmUid: spec.vmUid, op }),
          refusedWith('locked'),
        )
      }
      await assert.rejects(
        agent.client.vm.delete.mutate({ actionId: nextActionId(), vmUid: spec.vmUid }),
        refusedWith('locked'),
      )
      assert.equal((await power(spec.vmUid, 'poweroff')).status, 'success')
      assert.equal((await actionEnd(agent, shutdown)).status, 'success')
      assert.equal((await vmReport(agent, spec.vmUid))?.exitReason, 'Powered off.')
      assert.deepEqual(monitorOf(spec.vmUid), [])
    })

    test('a monitor that dies by itself is a crash, with a reason', async () => {
      const { spec } = await create()
      process.kill(monitorOf(spec.vmUid)[0]!.pid, 'SIGKILL')
      const report = await untilState(agent, spec.vmUid, 'crashed')
      assert.match(report.exitReason ?? '', /killed/)
      assert.equal((await power(spec.vmUid, 'start')).status, 'success')
    })

    test('folders that the box lists are shared, others keep a VM from starting', async () => {
      const list = join(box.state, 'shared-folders.json')
      await writeFile(list, JSON.stringify({ music: { path: '/srv/music' } }))
      const music = { name: 'music', writable: false }
      const { spec } = await create({ folders: [music] })
      const [monitor] = monitorOf(spec.vmUid)
      const command = readFileSync(`/proc/${monitor!.pid}/cmdline`, 'utf8').split('\0')
      assert.equal(command[command.indexOf('--share') + 1], 'path=/srv/music,tag=music')
      await power(spec.vmUid, 'poweroff')
      await rm(list)
      const refused = await power(spec.vmUid, 'start')
      assert.equal(refused.status, 'error')
      assert.match(refused.error?.message ?? '', /does not share the folder music/)
      assert.deepEqual(monitorOf(spec.vmUid), [])
    })

    test('a guest that does not reload its watchdog is noted until its next start', async () => {
      const { spec } = await create({ image: 'hanging', watchdog: 'event' })
      const { vmUid } = spec
      assert.equal((await untilState(agent, vmUid, 'running')).watchdogAt, undefined)
      assert.equal((await power(vmUid, 'reset')).status, 'success')
      await until('the note', async () => (await vmReport(agent, vmUid))?.watchdogAt)
      await power(vmUid, 'poweroff')
      await power(vmUid, 'start')
      assert.equal((await untilState(agent, vmUid, 'running')).watchdogAt, undefined)
    })

    test('a suspended VM goes on from where it was, once; powered off it starts cold; what fails loses nothing', async () => {
      const { spec } = await create()
      const { vmUid } = spec
      await untilState(agent, vmUid, 'running')
      const bootText = (pattern: RegExp) => {
        const viewer = openConsole(agent.port, vmUid)
        return until(`${pattern} on the console`, () => pattern.exec(viewer.text()))
      }
      const [, first] = await bootText(/stand-in (\S+) booted/)
      assert.equal((await power(vmUid, 'suspend')).status, 'success')
      const suspended = await untilState(agent, vmUid, 'suspended')
      assert.match(suspended.exitReason ?? '', /goes on where it was/)
      assert.deepEqual(monitorOf(vmUid), [])
      for (const change of [{ memoryBytes: spec.memoryBytes * 2 }, { cpus: 2 }])
        await assert.rejects(
          agent.client.vm.update.mutate({
            actionId: nextActionId(),
            spec: { ...spec, ...change, generation: spec.generation + 1 },
          }),
          refusedWith('invalid_state'),
        )

      assert.equal((await power(vmUid, 'start')).status, 'success')
      await bootText(new RegExp(`goes on from {"run":"${first}"}`))
      const folder = join(box.state, 'vms', vmUid)
      await until('the memory to be forgotten', () => !existsSync(join(folder, 'resuming')))
      assert.equal(existsSync(join(folder, 'suspended')), false)
      assert.equal((await power(vmUid, 'poweroff')).status, 'success')
      assert.equal((await power(vmUid, 'start')).status, 'success')
      await bootText(/booted/)

      assert.equal((await power(vmUid, 'suspend')).status, 'success')
      assert.equal((await power(vmUid, 'poweroff')).status, 'success')
      await untilState(agent, vmUid, 'stopped')
      assert.equal((await power(vmUid, 'start')).status, 'success')
      await bootText(/booted/)

      const full = await create({ image: 'full' })
      await untilState(agent, full.spec.vmUid, 'running')
      const report = await power(full.spec.vmUid, 'suspend')
      assert.match(report.error?.message ?? '', /goes on: no space left/)
      assert.equal((await vmReport(agent, full.spec.vmUid))?.state, 'running')
    })

    test('what a VM does not allow is refused at once', async () => {
      const { spec } = await create({}, false)
      await assert.rejects(
        agent.client.vm.power.mutate({ actionId: nextActionId(), vmUid: spec.vmUid, op: 'shutdown' }),
        refusedWith('invalid_state'),
      )
      await assert.rejects(
        agent.client.vm.power.mutate({ actionId: nextActionId(), vmUid: testSpec().vmUid, op: 'start' }),
        refusedWith('not_found'),
      )
      await assert.rejects(
        agent.client.vm.delete.mutate({ actionId: nextActionId(), vmUid: '../../etc' }),
        refusedWith('invalid_input'),
      )
      await assert.rejects(
        agent.client.vm.update.mutate({ actionId: nextActionId(), spec: { ...spec, generation: 0 } }),
        refusedWith('conflict'),
      )
    })

    test('a lost disk is told at the start', async () => {
      const { spec } = await create({ image: 'disk' }, false)
      const disk = join(box.state, 'vms', spec.vmUid, 'disk.raw')
      await import('node:fs/promises').then(({ rm }) => rm(disk))
      const report = await power(spec.vmUid, 'start')
      assert.equal(report.error?.code, 'disk_missing')
      assert.equal((await vmReport(agent, spec.vmUid))?.state, 'stopped')
    })

    test('an update changes name and size, and a disk only grows', async () => {
      const { spec } = await create({ image: 'disk', diskBytes: 1 * GIB }, false)
      const bigger = { ...spec, generation: 2, name: 'renamed', memoryBytes: 128 * MIB, diskBytes: 2 * GIB }
      const actionId = nextActionId()
      await agent.client.vm.update.mutate({ actionId, spec: bigger })
      assert.equal((await actionEnd(agent, actionId)).status, 'success')
      assert.equal((await stat(join(box.state, 'vms', spec.vmUid, 'disk.raw'))).size, 2 * GIB)
      const report = await vmReport(agent, spec.vmUid)
      assert.equal(report?.name, 'renamed')
      assert.equal(report?.generation, 2)
      await assert.rejects(
        agent.client.vm.update.mutate({ actionId: nextActionId(), spec: { ...spec, generation: 3 } }),
        refusedWith('invalid_input'),
      )
    })

    test('events begin with a snapshot and tell every state after it', async () => {
      const { events, stop } = collectEvents(agent)
      await until('the snapshot', () => events[0])
      assert.equal(events[0]?.type, 'snapshot')
      const { spec } = await create()
      await power(spec.vmUid, 'shutdown')
      const states = () =>
        events.flatMap((event) =>
          event.type === 'vm' && event.vm.vmUid === spec.vmUid ? event.vm.state : [],
        )
      await until('the last state', () => states().at(-1) === 'stopped')
      const distinct = states().filter((state, index, all) => state !== all[index - 1])
      assert.deepEqual(distinct.slice(0, 1), ['creating'])
      assert.deepEqual(
        distinct.slice(distinct.indexOf('starting')),
        ['starting', 'running', 'stopping', 'stopped'],
        distinct.join(' '),
      )
      assert.equal(events.filter((event) => event.type === 'snapshot').length, 1)
      stop()
    })

    test('the serial console replays, carries input, and after the end shows the last output', async () => {
      const { spec } = await create()
      const viewer = openConsole(agent.port, spec.vmUid)
      await until('the boot text', () => viewer.text().includes('booted'))
      viewer.socket.send(Buffer.from('hello'))
      await until('the echo', () => viewer.text().includes('hello'))
      await power(spec.vmUid, 'poweroff')
      assert.equal(await viewer.closed, consoleClose.notRunning)
      const late = openConsole(agent.port, spec.vmUid)
      assert.equal(await late.closed, consoleClose.notRunning)
      assert.match(late.text(), /booted/)
      assert.deepEqual(
        viewer.notices().map(({ notice }) => notice),
        ['connected', 'live', 'ended'],
      )
      assert.deepEqual(
        late.notices().map(({ notice }) => notice),
        ['not_running'],
      )
    })

    test('a screen: each viewer is introduced, bytes go through, everybody hears who watches and who types', async () => {
      const plain = await create()
      const none = openDisplay(agent.port, plain.spec.vmUid, { id: 'a', name: 'Ada', input: true })
      assert.equal(await none.closed, displayClose.noDisplay)

      const { spec } = await create({ display: { keyboard: 'de' } })
      assert.equal((await vmReport(agent, spec.vmUid))?.display, true)
      const ada = openDisplay(agent.port, spec.vmUid, { id: 'a', name: 'Ada', input: true })
      await until('the greeting', () => ada.text() === 'RFB 003.008\n')
      ada.socket.send(Buffer.from('bytes'))
      await until('the echo', () => ada.text().endsWith('bytes'))
      const ben = openDisplay(agent.port, spec.vmUid, { id: 'b', name: 'Ben', input: true })
      const seen = (control: string) => ({
        type: 'viewers',
        clipboard: false,
        viewers: [
          { id: 'a', name: 'Ada', input: true, control: control === 'a' },
          { id: 'b', name: 'Ben', input: true, control: control === 'b' },
        ],
      })
      await until('both to hear', () => ben.notices().length > 0 && ada.notices().length > 1)
      assert.deepEqual(ada.notices().at(-1), { ...seen('a'), you: 'a' })
      ben.socket.send('{"type":"take_control"}')
      await until('the change', () => ada.notices().length > 2 && ben.notices().length > 1)
      assert.deepEqual(ben.notices().at(-1), { ...seen('b'), you: 'b' })
      // What is no request changes nothing.
      ben.socket.send('{"type":"quit"}')
      ben.socket.send('{')
      ben.socket.send('{"type":"figures"}')
      await until('the figures', () => ben.notices().at(-1)?.type === 'figures')
      assert.deepEqual(ben.notices().at(-1), { type: 'figures', updates: 7, bytes: 8, roundTripMs: 9 })

      const picture = (etag = '') =>
        fetch(`http://127.0.0.1:${agent.port}/vms/${spec.vmUid}/screen.jpg`, {
          headers: { authorization: `Bearer ${testToken}`, 'if-none-match': etag },
        })
      const first = await picture()
      assert.equal(first.headers.get('content-type'), 'image/jpeg')
      assert.equal(Buffer.from(await first.arrayBuffer()).toString('hex'), 'ffd8ffd9')
      assert.equal((await picture(first.headers.get('etag') ?? '')).status, 304)
      await power(spec.vmUid, 'poweroff')
      assert.equal(await ada.closed, consoleClose.notRunning)
      assert.equal((await picture()).status, 409)
      const gone = openDisplay(agent.port, spec.vmUid, { id: 'a', name: 'Ada', input: true })
      assert.equal(await gone.closed, consoleClose.notRunning)
    })

    test('without the token nothing opens', async () => {
      const base = `ws://127.0.0.1:${agent.port}`
      for (const token of ['', 'wrong', `${testToken}x`]) {
        const refused = new WebSocket(`${base}/trpc`, { headers: { authorization: `Bearer ${token}` } })
        const status = await new Promise((resolve) => {
          refused.once('unexpected-response', (_request, response) => resolve(response.statusCode))
          refused.once('open', () => resolve('open'))
        })
        assert.equal(status, 401)
        refused.on('error', () => undefined).terminate()
        assert.equal(await openConsole(agent.port, testSpec().vmUid, token).closed, consoleClose.unauthorized)
      }
      assert.equal(await openConsole(agent.port, testSpec().vmUid).closed, consoleClose.notFound)
      const health = await fetch(`http://127.0.0.1:${agent.port}/healthz`)
      assert.equal(health.status, 200)
    })

    test('a second agent on the same state is refused, one on another state keeps out of the way', async () => {
      await assert.rejects(startAgent(box), /another agent is already running/)
      const other = await TestBox.create()
      const neighbour = await startAgent(other)
      const network = (of: TestBox) => JSON.parse(readFileSync(join(of.state, 'network.json'), 'utf8'))
      assert.notEqual(network(other).bridge, network(box).bridge)
      assert.notEqual(network(other).subnet, network(box).subnet)
      assert.ok(existsSync(`/sys/class/net/${network(other).bridge}`))
      await neighbour.end('SIGTERM')
      assert.equal(existsSync(`/sys/class/net/${network(other).bridge}`), false)
      assert.ok(existsSync(`/sys/class/net/${network(box).bridge}`), 'it took only its own down')
      await other.remove()
    })

    test('a name server that dies is replaced', async () => {
      const argument = `--dhcp-hostsfile=${box.runDir}-dns/dhcp-hosts`
      const find = () => findProcessesByArgument(argument, readBootId())
      const [first] = await until('dnsmasq', () => (find().length === 1 ? find() : null))
      process.kill(first!.pid, 'SIGKILL')
      const [second] = await until('another dnsmasq', () => {
        const now = find()
        return now.length === 1 && now[0]!.pid !== first!.pid ? now : null
      })
      assert.ok(second)
    })

    test('two VMs never share a network card address', async () => {
      const { spec } = await create({}, false)
      await assert.rejects(
        agent.client.vm.create.mutate({
          actionId: nextActionId(),
          spec: testSpec({ mac: spec.mac }),
          start: false,
        }),
        refusedWith('uniqueness_error'),
      )
    })

    test('one VM has room for so many viewers and no more', async () => {
      const { spec } = await create()
      const viewers = Array.from({ length: maxViewersPerVm }, () => openConsole(agent.port, spec.vmUid))
      await until('all viewers', () => viewers.every((viewer) => viewer.text().includes('booted')))
      assert.equal(await openConsole(agent.port, spec.vmUid).closed, 1013)
      viewers[0]!.socket.close()
      await viewers[0]!.closed
      const next = openConsole(agent.port, spec.vmUid)
      await until('the freed place', () => next.text().includes('booted'))
      for (const viewer of [...viewers, next]) viewer.socket.close()
    })

    test('bad options are one line and exit code 1', () => {
      const main = fileURLToPath(new URL('./main.ts', import.meta.url))
      const { status, stderr } = spawnSync(process.execPath, [main, '--state', '/tmp/x'], {
        encoding: 'utf8',
      })
      assert.equal(status, 1)
      assert.match(stderr, /^hearth-agent: --\S+ is missing\n\S+ info agent ends code=1 pid=\d+\n$/)
    })
  })

  test('a disk without room is told before anything is copied', async () => {
    const box = await TestBox.create()
    await box.addImage({ imageUid: 'disk', diskBytes: 8 * MIB })
    await mkdir(box.state)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'small', box.state])
    const agent = await startAgent(box)
    const actionId = nextActionId()
    await agent.client.vm.create.mutate({ actionId, spec: testSpec({ image: 'disk' }), start: true })
    const report = await actionEnd(agent, actionId)
    assert.equal(report.error?.code, 'no_space')
    assert.match(report.error.message, /MiB of disk left/)
    assert.deepEqual(await agent.client.vm.list.query(), [])
    assert.deepEqual(await readdir(join(box.state, 'vms')), [])
    await agent.end('SIGTERM')
    execFileSync('umount', [box.state])
    await box.remove()
  })

  test('images come from the builder: the first one by itself, others when asked, failures with their reason', async () => {
    const box = await TestBox.create()
    const recipe = (imageUid: string) => ({
      imageUid,
      name: imageUid,
      description: '',
      recipeHash: 'hash1',
      cloudInit: false,
      loginUser: null,
      minMemoryBytes: 64 * MIB,
      minDiskBytes: 0,
    })
    const builder = await startBuilder(
      [recipe('tiny-linux'), recipe('bad')],
      (imageUid, _attempt, send, end) => {
        send({ type: 'progress', progress: 40, step: 'Building' })
        if (imageUid === 'bad') {
          send({ type: 'failed', message: 'No such package.' })
          end('end')
          return
        }
        void box.addImage({ imageUid }).then(() => {
          send({ type: 'done', imageUid })
          end('end')
        })
      },
    )
    let agent = await startAgent(box, { builderUrl: builder.url })
    const image = async (uid: string) =>
      (await agent.client.image.list.query()).find((candidate) => candidate.imageUid === uid)
    await until('tiny-linux', async () => (await image('tiny-linux'))?.status === 'ready')
    assert.equal((await image('bad'))?.status, 'absent')
    const unready = nextActionId()
    await agent.client.vm.create.mutate({ actionId: unready, spec: testSpec({ image: 'bad' }), start: true })
    assert.equal((await actionEnd(agent, unready)).error?.code, 'image_build_failed')
    const actionId = nextActionId()
    await agent.client.image.build.mutate({ actionId, imageUid: 'bad' })
    const report = await actionEnd(agent, actionId)
    assert.deepEqual(report.error, { code: 'image_build_failed', message: 'No such package.' })
    assert.equal((await image('bad'))?.status, 'failed')
    await agent.end('SIGTERM')
    await builder.close()
    agent = await startAgent(box)
    assert.equal((await image('bad'))?.status, 'absent', 'the catalogue is there while the builder is away')
    await agent.end('SIGTERM')
    await box.remove()
  })
})
