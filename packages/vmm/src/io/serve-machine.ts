/**
 * Owns every device on a bus of one machine, and blocks in epoll_wait until a vCPU posts an access, a queue is
 * rung, a packet comes or the main thread wants something. Returns when the machine is over and its devices are
 * closed.
 */
import type { ChipsetState } from '@hearth/shared/vm-snapshot'
import { AddressSpace } from '../bus/address-space.ts'
import type { MachineEvents } from '../chipset/events.ts'
import { GenerationId, guidBytes } from '../chipset/generation-id.ts'
import { GPE_EVENT } from '../chipset/gpe.ts'
import { plugChipset } from '../chipset/plug.ts'
import { useDiskThread } from '../disk/rings.ts'
import type { SavedPart } from '../firmware/plug.ts'
import { KvmInterrupts } from '../kvm/interrupts.ts'
import { KvmNotifies } from '../kvm/notifies.ts'
import { Vm } from '../kvm/vm.ts'
import { EARLY_SCREEN, GENERATION_ID, ROM } from '../machine/layout.ts'
import { DirtyPages } from '../memory/dirty-pages.ts'
import { GuestMemory } from '../memory/guest-memory.ts'
import { read } from '../sys/libc.ts'
import { CalmTidier, LOADED_MS, tidyUp } from '../sys/thrift.ts'
import { BalloonDevice } from '../virtio/balloon.ts'
import type { VirtioTransport } from '../virtio/transport.ts'
import { I6300esb } from '../watchdog/i6300esb.ts'
import { BulkTraffic } from './bulk-traffic.ts'
import { plugDevices } from './devices.ts'
import { EpollLoop } from './epoll-loop.ts'
import { MailboxServer } from './mailbox.ts'
import {
  BALLOON_WORD,
  IO_COMMAND,
  type IoWorkerData,
  type IoWorkerMessage,
  PAUSED_WORD,
} from './worker-protocol.ts'

export function serveMachine(data: IoWorkerData, tell: (message: IoWorkerMessage) => void): void {
  useDiskThread(data.diskThread ?? [])
  const vm = new Vm(data.vmFd, 0)
  const pio = new AddressSpace()
  const mmio = new AddressSpace()
  const loop = new EpollLoop()
  const traffic = new BulkTraffic(loop)
  const interrupts = new KvmInterrupts(vm)
  const events: MachineEvents = {
    powerOff: () => tell({ kind: 'power-off' }),
    reset: (reason) => tell({ kind: 'reset', reason }),
    panic: (kind) => {
      if (kind === 'panicked') tell({ kind: 'panic' })
    },
  }
  const chipset = plugChipset(pio, interrupts, data, events, loop)
  const platform = { interrupts, notifies: new KvmNotifies(vm), mmio, pio, loop }
  const devices: VirtioTransport[] = []
  const memory = new GuestMemory(data.regions)
  const parts = new Map<keyof ChipsetState, SavedPart>()
  const log = (text: string): void => tell({ kind: 'warning', text })
  const balloon = new BalloonDevice({ keep: data.keepMemory === true })
  const generationId = new GenerationId({
    ...{ memory, id: data.generationId },
    address: data.firmware === undefined ? GENERATION_ID : undefined,
    notify: () => chipset.gpe.raise(GPE_EVENT.generationId),
  })
  const watchdog =
    data.watchdog &&
    new I6300esb({ bite: () => tell({ kind: 'watchdog' }), timedOut: data.watchdog.timedOut })
  parts.set('generation-id', generationId)
  const hostAddress = data.display?.frameBuffer ?? 0
  let lastAddress = 0
  const { pci: bus, mmio: mmioBus } = plugDevices(platform, data, {
    placeFrameBuffer: (address) => {
      // KVM takes a slot away by the address it has.
      lastAddress = address ?? lastAddress
      const size = address === undefined ? 0 : EARLY_SCREEN.bytes
      vm.setFrameBuffer({ guestAddress: lastAddress, hostAddress, size })
    },
    resetControl: chipset.resetControl,
    events,
    log,
    balloon,
    watchdog,
    earlyKeyboard: chipset.keyboard,
    memory,
    plugged: (transport) => devices.push(transport),
    traffic,
    generation: {
      bytes: guidBytes(data.generationId),
      placed: (address) => generationId.placed(address),
    },
    withState: (name, part) => parts.set(name, part),
    setVariablesReadable: (readable, region) => vm.setRom(ROM.variables, region, readable),
    variablesWritten: () => tell({ kind: 'variables-written' }),
  })

  const drained = new BigUint64Array(1)
  const mailbox = new MailboxServer(data.control, data.cpus, pio, mmio)
  loop.onReadable(data.busWakeFd, () => {
    read(data.busWakeFd, drained, 8)
    mailbox.serve()
  })
  const commands = new Int32Array(data.commands)
  const tidier = new CalmTidier()
  loop.onReadable(data.commandFd, () => {
    read(data.commandFd, drained, 8)
    const wanted = Atomics.exchange(commands, 0, 0)
    if (wanted & IO_COMMAND.powerButton) chipset.acpiPm.pressPowerButton()
    if (wanted & IO_COMMAND.count) {
      tell({
        kind: 'counters',
        counters: {
          devices: devices.map(({ device, counters: { failures } }) => ({
            ...{ name: device.name, counters: { ...device.counters, failures } },
          })),
          balloon: balloon.state,
        },
      })
      balloon.askForStatistics()
    }
    if (wanted & IO_COMMAND.balloon) balloon.setTarget(Atomics.load(commands, BALLOON_WORD) * 2 ** 20)
    if (wanted & IO_COMMAND.tidy) tidier.asked()
    if (wanted & IO_COMMAND.clock) watchdog?.setClock(Atomics.load(commands, PAUSED_WORD) === 0)
    if (wanted & IO_COMMAND.freeze) {
      freeze((wanted & IO_COMMAND.track) !== 0)
      // A packet or a command that came meanwhile makes its fd readable as ever.
      if ((Atomics.load(commands, 0) & IO_COMMAND.stop) === 0) resumed()
    }
    if (wanted & IO_COMMAND.stop) loop.stop()
  })

  const resumed = (): void => {
    bus.resumed()
    mmioBus?.resumed()
  }
  const freeze = (track: boolean): void => {
    try {
      if (data.hvt) throw new Error('an hvt unikernel cannot be saved')
      const others = Object.fromEntries([...parts].map(([name, part]) => [name, part.save()]))
      const virtio = mmioBus ? { mmio: mmioBus.save() } : {}
      const state = { chipset: { ...chipset.save(), ...others }, pci: bus.save(), ...virtio }
      tell({ kind: 'frozen', state, written: memory.dirty?.bits })
      memory.dirty = track ? new DirtyPages(data.regions) : undefined
    } catch (error) {
      tell({ kind: 'not-saved', text: messageOf(error) })
    }
    const over = IO_COMMAND.thaw | IO_COMMAND.stop
    for (let now = Atomics.load(commands, 0); (now & over) === 0; now = Atomics.load(commands, 0)) {
      Atomics.wait(commands, 0, now)
    }
  }

  try {
    if (data.restore !== undefined) {
      chipset.restore(data.restore.chipset)
      const { pci, mmio: saved } = data.restore
      if ((saved === undefined) !== (mmioBus === undefined)) {
        throw new Error(
          `the snapshot has virtio devices over ${saved ? 'MMIO' : 'PCI'}: say so with --virtio`,
        )
      }
      bus.restore(pci)
      if (saved) mmioBus?.restore(saved)
      for (const [name, part] of parts) {
        const state = data.restore.chipset[name]
        if (state !== undefined) part.restore(state as never)
      }
      resumed()
    }
    loop.after(LOADED_MS, tidyUp)
    tell({ kind: 'ready' })
  } catch (error) {
    if (data.restore === undefined) throw error
    tell({ kind: 'refused', text: messageOf(error) })
  }
  loop.run()
  bus.close()
  mmioBus?.close()
  traffic.close()
  loop.close()
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
