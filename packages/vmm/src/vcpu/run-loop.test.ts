import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Uart } from '../chipset/uart.ts'
import { MailboxClient } from '../io/mailbox.ts'
import { check, MAP, mmap, munmap, PROT } from '../sys/libc.ts'
import { allocateControl, COMMAND, COMMAND_RUN, COMMAND_STOP } from './control.ts'
import { runVcpu } from './run-loop.ts'

/** No vCPU: KVM_RUN on it is an error, which the loop ends with. */
const NO_VCPU = -1
const RUN_SIZE = 4096

test('a vCPU told to stop while it makes itself ready runs nothing of the guest', (t) => {
  const runAddress = check(
    'mmap',
    mmap(0, RUN_SIZE, PROT.READ | PROT.WRITE, MAP.PRIVATE | MAP.ANONYMOUS, -1, 0),
  )
  t.after(() => munmap(runAddress, RUN_SIZE))
  const control = allocateControl(1)
  const words = new Int32Array(control)
  const run = (meanwhile: number) => {
    Atomics.store(words, COMMAND, COMMAND_RUN)
    return runVcpu({
      ...{ cpu: 0, fd: NO_VCPU, runAddress, runSize: RUN_SIZE, control },
      mailbox: new MailboxClient(control, 0, -1),
      uart: new Uart({ shared: Uart.allocate(), irqFd: -1, attentionFd: -1 }),
      tidy: () => {},
      // What the main thread does in this moment, to a vCPU whose state says that it is at rest.
      beforeFirstRun: () => Atomics.store(words, COMMAND, meanwhile),
    })
  }
  assert.equal(run(COMMAND_RUN).kind, 'run-error')
  assert.deepEqual(run(COMMAND_STOP), { kind: 'stopped' })
})
