/**
 * Owns every device on a bus of one machine, and blocks in epoll_wait until a vCPU posts an access, a queue is
 * rung, a packet comes or the main thread wants something. Returns when the machine is over and its devices are
 * closed.
 */
import { AddressSpace } from '../bus/address-space.ts'
import { plugChipset } from '../chipset/plug.ts'
import { KvmInterrupts } from '../kvm/interrupts.ts'
import { KvmNotifies } from '../kvm/notifies.ts'
import { Vm } from '../kvm/vm.ts'
import { read } from '../sys/libc.ts'
import { plugDevices } from './devices.ts'
import { EpollLoop } from './epoll-loop.ts'
import { MailboxServer } from './mailbox.ts'
import { IO_COMMAND, type IoWorkerData, type IoWorkerMessage } from './worker-protocol.ts'

export function serveMachine(data: IoWorkerData, tell: (message: IoWorkerMessage) => void): void {
  const vm = new Vm(data.vmFd, 0)
  const pio = new AddressSpace()
  const mmio = new AddressSpace()
  const loop = new EpollLoop()
  const interrupts = new KvmInterrupts(vm)
  const chipset = plugChipset(pio, interrupts, data, {
    powerOff: () => tell({ kind: 'power-off' }),
    reset: (reason) => tell({ kind: 'reset', reason }),
    panic: (kind) => {
      if (kind === 'panicked') tell({ kind: 'panic' })
    },
  })
  const platform = { interrupts, notifies: new KvmNotifies(vm), mmio, pio, loop }
  const bus = plugDevices(platform, data, chipset.resetControl, (text) => tell({ kind: 'warning', text }))

  const drained = new BigUint64Array(1)
  const mailbox = new MailboxServer(data.control, data.cpus, pio, mmio)
  loop.onReadable(data.busWakeFd, () => {
    read(data.busWakeFd, drained, 8)
    mailbox.serve()
  })
  const commands = new Int32Array(data.commands)
  loop.onReadable(data.commandFd, () => {
    read(data.commandFd, drained, 8)
    const wanted = Atomics.exchange(commands, 0, 0)
    if (wanted & IO_COMMAND.powerButton) chipset.acpiPm.pressPowerButton()
    if (wanted & IO_COMMAND.stop) loop.stop()
  })

  tell({ kind: 'ready' })
  loop.run()
  bus.close()
  loop.close()
}
