/** A VM's consoles as the recorder meets them. */

import { connectSocket } from '../console/socket-pipe.ts'
import type { Vm } from '../vm/vm.ts'
import type { RecordingSource } from './recordings.ts'

const attemptMs = 50
/** A monitor that runs has its sockets within moments. */
const patienceMs = 10_000

export function recordingSource(vm: Vm): RecordingSource {
  return {
    name: vm.spec.name,
    running: vm.hasProcess,
    hasDisplay: vm.hasDisplay,
    async connect(kind) {
      const path = kind === 'display' ? vm.sockets.display : vm.sockets.serial
      const deadline = Date.now() + patienceMs
      while (vm.hasProcess && Date.now() < deadline) {
        const socket = await connectSocket(path)
        if (socket) return socket
        await new Promise((resolve) => setTimeout(resolve, attemptMs))
      }
      return null
    },
  }
}
