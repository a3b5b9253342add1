/**
 * A portal with pages, two people and VMs whose screens are painted here (see painted-screen.ts). A program, because
 * the test runner's own loader does not run the portal: it prints one line of JSON, then answers one a command.
 *
 *   state                     what the VM's input devices heard, and its screen's size
 *   rect X Y W H COLOUR       paints
 *   flash                     each key changes a corner from now on
 *   deaf                      leaves wishes for a size alone
 *   size W H                  takes that size, and hears wishes again
 *   copy TEXT                 as if the guest had copied it
 *   silent                    its serial console has printed nothing, for who opens it from now on
 *   print TEXT                on its serial console
 *   break                     cuts every viewer's connection
 *   refuse CODE | accept      cuts them and closes every new one with that code, until it accepts again
 *   off | on                  ends the VM, starts it again
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WebSocket } from 'ws'
import { Recordings } from '../../apps/agent/src/recording/recordings.ts'
import { admin, newKey, TestPortal, tinyVm, until } from '../../apps/web/server/testing/test-portal.ts'
import { obeyTest } from '../../apps/web/server/testing/told-program.ts'
import { PaintedScreen } from './painted-screen.ts'

await obeyTest(async () => {
  const portal = await TestPortal.start({ pages: 'production' })
  const ada = await portal.setUp()
  const { id: projectId } = await portal.db.project.findFirstOrThrow()
  await portal.addPerson('Ben', { [projectId]: 'member' })
  const screen = new PaintedScreen(1280, 800)

  const { vm, action } = await ada.trpc.vm.create.mutate({
    ...tinyVm('studio'),
    display: { keyboard: 'de' },
    idempotencyKey: newKey(),
  })
  const setState = (state: 'running' | 'stopped') =>
    portal.agent.setVm(vm.vmUid, {
      state,
      display: state === 'running',
      addresses: state === 'running' ? ['10.87.0.9'] : [],
    })
  setState('running')
  portal.agent.finish(action.id)
  await until('the VM to run', async () => (await ada.trpc.vm.get.query({ id: vm.id })).hasScreen)
  let refusal: number | undefined
  portal.agent.onDisplay = (socket, query) => {
    const code = screen.running ? refusal : 4409
    if (code === undefined) screen.attach(socket, query)
    else socket.close(code)
  }
  const cut = (): void => {
    for (const { id } of screen.server.introduced()) screen.server.closeViewer(id)
  }
  /** The agent's own recorder, with the painted screen in place of the monitor's. */
  const folder = await mkdtemp(join(tmpdir(), 'hearth-painted-'))
  const recordings = new Recordings({
    stateFolder: folder,
    log: { info() {}, warn() {}, error: console.error },
    source: () => ({
      name: 'studio',
      running: screen.running,
      hasDisplay: true,
      connect: async () => screen.connect(),
    }),
  })
  await recordings.open()
  portal.agent.recordings = recordings
  recordings.onChange(
    (uid, kind) => kind === 'display' && screen.tellRecorded(recordings.isRecorded(uid, kind)),
  )
  let printed = 'studio login: '
  const serials = new Set<WebSocket>()
  portal.agent.onSerial = (socket) => {
    socket.send(JSON.stringify({ notice: 'connected', message: '' }))
    if (printed !== '') socket.send(Buffer.from(printed))
    socket.send(JSON.stringify({ notice: 'live', message: '' }))
    serials.add(socket)
    socket.once('close', () => serials.delete(socket))
  }
  const picture = () => {
    portal.agent.screenPicture = screen.running
      ? Buffer.from(screen.server.screenshot(640).jpeg, 'base64')
      : null
  }
  picture()

  return {
    ready: { url: portal.url, vmId: vm.id, password: admin.password },
    obey(line) {
      const [command, ...given] = line.split(' ')
      if (command === 'rect') {
        const [x, y, width, height, colour] = given.map(Number)
        screen.rect(x!, y!, width!, height!, colour!)
        picture()
      } else if (command === 'flash') {
        screen.flashes = true
      } else if (command === 'deaf') {
        screen.deaf = true
      } else if (command === 'size') {
        screen.deaf = false
        screen.resize(Number(given[0]), Number(given[1]))
      } else if (command === 'copy') {
        screen.server.offerClipboard(given.join(' '))
      } else if (command === 'silent') {
        printed = ''
      } else if (command === 'print') {
        const text = given.join(' ')
        printed += text
        for (const socket of serials) socket.send(Buffer.from(text))
      } else if (command === 'break') {
        cut()
      } else if (command === 'refuse') {
        refusal = Number(given[0])
        cut()
      } else if (command === 'accept') {
        refusal = undefined
      } else if (command === 'off') {
        screen.running = false
        cut()
        setState('stopped')
      } else if (command === 'on') {
        screen.running = true
        setState('running')
      }
      return { events: screen.events.splice(0), size: screen.surface.size() }
    },
    async end() {
      await recordings.close()
      screen.close()
      await portal.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
})
