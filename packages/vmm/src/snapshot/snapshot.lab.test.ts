/**
 * Snapshot, kill, restore in a new process, with Debian's kernel in the lab: a download and a copy between disks are
 * under way and end as if nothing had been; clocks are right, devices and interrupts go on.
 */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, before, test } from 'node:test'
import type { VmmSnapshotResult } from '@hearth/shared/vmm-control'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import { debianKernel } from '../../../../infra/lab/debian-kernel.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import { sharedLab, sharedLabData, sharedScratch } from '../../../../infra/lab/shared.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { BOOT_MS, GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'

const HOST = '192.168.233.1'
const GUEST = '192.168.233.2'
const TAP = 'hearth-snap'
const FOLDER = `${sharedLabData}/snapshot-test`

let lab: Lab
let boot: readonly string[]
const guests: LabGuest[] = []

async function inLab(script: string): Promise<string> {
  const { code, stdout, stderr } = await lab.run('sh', ['-ec', script], { timeoutMs: BOOT_MS })
  assert.equal(code, 0, `${script}\n${stderr}`)
  return stdout.trim()
}

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  const folder = path.join(sharedScratch(), 'snapshot')
  await mkdir(folder)
  const debian = await debianKernel(cacheDirectory, 'cloud-amd64', () => {})
  const initrd = path.join(folder, 'initrd')
  await writeFile(initrd, await guestInitrd(debian.modules))
  boot = ['--kernel', debian.vmlinuz, '--initrd', initrd, '--cmdline', `${GUEST_CMDLINE} run=shell`]
  await inLab(`
    mkdir -p ${FOLDER} && cd ${FOLDER}
    dd if=/dev/urandom of=a.raw bs=1M count=16 2>/dev/null
    truncate -s 16M b.raw
    dd if=/dev/urandom of=file bs=1M count=12 2>/dev/null
    ip tuntap add ${TAP} mode tap vnet_hdr
    ip addr add ${HOST}/24 dev ${TAP}
    ip link set ${TAP} up`)
})

afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.process.stop(1000)
})

function launch(args: readonly string[]): LabGuest {
  const guest = new LabGuest(lab, args)
  guests.push(guest)
  return guest
}

/** Stops and continues the machine `times` times, as fast as it goes. */
async function pauseAndResume(socket: string, times: number): Promise<void> {
  const script = `
    const [, socket, times] = process.argv
    const connection = require('node:net').connect(socket)
    let id = 0
    const ask = () => connection.write(JSON.stringify({ id: ++id, method: id % 2 ? 'pause' : 'resume' }) + '\\n')
    require('node:readline').createInterface(connection).on('line', (line) => {
      const reply = JSON.parse(line)
      if (reply.id !== id) return
      if (!reply.ok) throw new Error(line)
      if (id === 2 * times) process.exit()
      ask()
    })
    ask()`
  const { code, stderr } = await lab.run('node', ['-e', script, socket, String(times)], {
    timeoutMs: BOOT_MS,
  })
  assert.equal(code, 0, stderr)
}

async function control<T>(socket: string, method: string, params: unknown): Promise<T> {
  const script = `
    const [, socket, method, params] = process.argv
    const connection = require('node:net').connect(socket)
    connection.write(JSON.stringify({ id: 7, method, params: JSON.parse(params) }) + '\\n')
    require('node:readline').createInterface(connection).on('line', (line) => {
      const reply = JSON.parse(line)
      if (reply.id === 7) { console.log(line); process.exit() }
    })`
  const all = ['-e', script, socket, method, JSON.stringify(params)]
  const { stdout, stderr } = await lab.run('node', all, { timeoutMs: BOOT_MS })
  const reply = JSON.parse(stdout || '{}') as { ok?: boolean; result: T; error?: string }
  assert.equal(reply.ok, true, reply.error ?? stderr)
  return reply.result
}

/** Sends the first quarter of the file, then drips until a line is read: the download is under way when the machine stops. */
const SERVER = `
  const bytes = require('node:fs').readFileSync(process.argv[2])
  let drip = true
  process.stdin.once('data', () => { drip = false })
  require('node:http').createServer(async (request, response) => {
    for (let at = 0; at < bytes.length; at += 65536) {
      if (!response.write(bytes.subarray(at, at + 65536))) await new Promise((r) => response.once('drain', r))
      if (at === bytes.length / 4) console.log('under way')
      if (drip && at >= bytes.length / 4) await new Promise((r) => setTimeout(r, 500))
    }
    response.end()
  }).listen(8124, process.argv[1], () => console.log('listening'))`

test('a download over TAP and a copy between disks live through a hundred pauses and go on in a new process; the clock is right', async () => {
  let said = ''
  const server = lab.spawn('node', ['-e', SERVER, HOST, `${FOLDER}/file`], {
    stdin: true,
    onStdout: (chunk) => {
      said += chunk.toString()
    },
  })
  const heard = async (text: string): Promise<void> => {
    while (!said.includes(text)) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const devices = [
    // A jailed monitor could write no folder, only its slot.
    '--no-jail',
    ...['--cpus', '2', '--memory', '256M', '--control', `unix:${FOLDER}/control`],
    ...['--disk', `${FOLDER}/a.raw,ro`, '--disk', `${FOLDER}/b.raw`, '--net', `tap:${TAP}`],
  ]
  try {
    const first = launch([...boot, ...devices])
    await first.until(/guest# /)
    await first.shell(
      `ip link set eth0 up; ip addr add ${GUEST}/24 dev eth0; head -c 1000000 /dev/urandom > /keep`,
    )
    const keep = /[0-9a-f]{32}/.exec(await first.shell('md5sum /keep'))?.[0]
    await heard('listening')
    const copy = 'dd if=/dev/vda of=/dev/vdb bs=64k conv=fsync 2>/dev/null'
    await first.shell(
      `(wget -q -O - http://${HOST}:8124/file | md5sum > /download; echo "download fin""ished") & \
       (while [ ! -s /download ]; do ${copy}; done; echo "copy fin""ished") & true`,
    )
    await heard('under way')
    await pauseAndResume(`${FOLDER}/control`, 100)
    const saved = await control<VmmSnapshotResult>(`${FOLDER}/control`, 'snapshot', {
      folder: `${FOLDER}/saved`,
      after: 'pause',
    })
    assert.ok(saved.memoryBytes > 20 << 20 && saved.memoryBytes < 200 << 20, `${saved.memoryBytes}`)
    assert.doesNotMatch(first.output, /finished/)
    first.process.kill('SIGKILL')
    await first.process.exit

    const second = launch(['--restore', `${FOLDER}/saved`, ...devices])
    ;(await server.started).stdin!.write('go\n')
    await second.until(/(download|copy) finished[\s\S]*(download|copy) finished/)
    const sum = async (file: string): Promise<string> =>
      (await inLab(`md5sum ${FOLDER}/${file}`)).slice(0, 32)
    assert.equal((await second.shell('cat /download')).slice(0, 32), await sum('file'))
    assert.equal((await second.shell('md5sum /keep')).slice(0, 32), keep)
    assert.equal(await sum('b.raw'), await sum('a.raw'))
    const clock = Number((await second.shell('date +%s')).trim())
    const now = Number(await inLab('date +%s'))
    assert.ok(Math.abs(clock - now) <= 3, `the guest's clock says ${clock} at ${now}`)
    assert.match(await second.shell(`ping -c 3 -i 0.2 ${HOST}`), / 0% packet loss/)
    assert.equal(
      await second.shell("dmesg | grep -iE 'lockup|stall|hung|I/O error|virtio.*(fail|error|bad|broken)'"),
      '',
    )
    await second.type('poweroff -f\n')
    const { code, line } = await second.end()
    assert.equal(code, 0)
    assert.match(line, /--no-jail.*\nhearth-vmm: the guest powered off$/)
  } finally {
    await server.stop(1000)
  }
})
