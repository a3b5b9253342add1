/** Debian's generic kernel, which has the drivers that its cloud kernel lacks, with the devices that need them. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, test } from 'node:test'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import { debianKernel } from '../../../../infra/lab/debian-kernel.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../../infra/lab/shared.ts'
import { bootableKernel } from '../../../../infra/lab/vmlinux.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { BOOT_MS, GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'
import { vsockProgram } from '../testing/vsock-program.ts'

const FOLDER = `${sharedLabData}/devices-test`
const MODULES = ['vmgenid', 'i6300esb', 'virtio_mmio', 'vmw_vsock_virtio_transport', 'virtiofs']
const HOST_PORT = 5000
const GUEST_PORT = 1024
const guests: LabGuest[] = []

/** In the lab: answers the guest at one port, and asks it at another. */
const SOCKETS = `
  const net = require('node:net')
  const lines = (socket, heard) => require('node:readline').createInterface(socket).on('line', heard)
  net.createServer((socket) => lines(socket, (line) => socket.end('you said ' + line + '\\n')))
    .listen('${FOLDER}/sockets_${HOST_PORT}')
  const guest = net.connect('${FOLDER}/sockets', () => guest.write('CONNECT ${GUEST_PORT}\\nhost\\n'))
  lines(guest, (line) => console.log(line))`
afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.process.stop(1000)
})

test('devices over MMIO; sockets both ways; restored with a folder and open files as another machine a guest makes new random numbers; one that hangs is switched off by its watchdog', async () => {
  await buildPrograms()
  const lab = await sharedLab()
  const launch = (args: readonly string[]): LabGuest => {
    const guest = new LabGuest(lab, ['--no-jail', '--control', `unix:${FOLDER}/control`, ...args])
    guests.push(guest)
    return guest
  }
  const folder = path.join(sharedScratch(), 'devices')
  await mkdir(folder)
  await lab.run('mkdir', ['-p', `${FOLDER}/shared`])
  const kernel = await debianKernel(cacheDirectory, 'amd64', () => {})
  const initrd = path.join(folder, 'initrd')
  const programs = new Map([
    ['vsock-connect', vsockProgram('connect', HOST_PORT, 2)],
    ['vsock-listen', vsockProgram('listen', GUEST_PORT)],
  ])
  await writeFile(initrd, await guestInitrd(kernel.modules, MODULES, programs))
  const vmlinux = await bootableKernel(cacheDirectory, kernel, () => {})
  const share = ['--share', `path=${FOLDER}/shared,tag=files,write`]
  const devices = [
    ...share,
    '--watchdog',
    'poweroff',
    '--virtio',
    'mmio',
    '--vsock',
    `3,unix:${FOLDER}/sockets`,
  ]
  const first = launch([
    ...['--kernel', vmlinux, '--initrd', initrd, '--cmdline', `${GUEST_CMDLINE} run=shell`],
    ...['--memory', '256M', ...devices],
  ])
  await first.until(/guest# /)
  assert.doesNotMatch(await first.shell('dmesg'), /virtual machine fork/)
  assert.match(await first.shell('cat /proc/interrupts'), /IO-APIC +5-fasteoi +virtio0/)
  assert.equal((await first.shell('cat /sys/class/misc/hw_random/rng_current')).trim(), 'virtio_rng.0')

  await first.shell(`vsock-listen /bin/sh -c 'read name; echo "guest hears $name"' & true`)
  let said = ''
  const host = lab.spawn('node', ['-e', SOCKETS], {
    onStdout: (chunk) => {
      said += chunk.toString()
    },
  })
  while (!said.includes('guest hears host')) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.match(said, /^OK \d+\nguest hears host\n$/)
  const answer = `vsock-connect /bin/sh -c 'echo hello; read answer; echo "$answer" > /answer'; cat /answer`
  assert.equal((await first.shell(answer)).trim(), 'you said hello')
  await host.stop(1000)

  // Two files are open over the snapshot, one of them without a name.
  await first.shell(
    'mkdir /files; mount -t virtiofs files /files; cd /files; exec 7>>log 8>>gone; echo one >&7; rm gone',
  )

  const save = `
    const socket = require('node:net').connect('${FOLDER}/control')
    socket.write(JSON.stringify({ id: 1, method: 'snapshot', params: { folder: '${FOLDER}/saved', after: 'quit' } }) + '\\n')
    socket.on('close', () => process.exit())`
  const { code, stderr } = await lab.run('node', ['-e', save], { timeoutMs: BOOT_MS })
  assert.equal(code, 0, stderr)
  assert.equal((await first.end()).code, 0)
  const second = launch(['--restore', `${FOLDER}/saved`, '--generation-id', 'new', ...devices])
  await second.type('\n')
  await second.until(/guest# /)
  await second.shell('echo two >&7; echo three > more')
  const { stdout: written } = await lab.run('sh', ['-c', `cd ${FOLDER}/shared; cat log more; ls`])
  assert.equal(written, 'one\ntwo\nthree\nlog\nmore\n')
  assert.match(await second.shell('echo lost >&8; cd /'), /Input\/output error/)
  assert.match(await second.shell('dmesg'), /crng reseeded due to virtual machine fork/)
  // Opened, and fed too late.
  await second.type('watchdog -T 2 -t 600 /dev/watchdog\n')
  const { code: crashed, line } = await second.end()
  assert.equal(crashed, 11)
  assert.match(line, /did not reload its watchdog in time$/)
})
