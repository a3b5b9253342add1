/**
 * Debian's own drivers for balloon and ports: what a guest frees, and what it is asked for, leaves the monitor's process;
 * a port is found by its name.
 */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, test } from 'node:test'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import { debianKernel } from '../../../../infra/lab/debian-kernel.ts'
import { sharedLab, sharedScratch } from '../../../../infra/lab/shared.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { BOOT_MS, GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'

const MIB = 2 ** 20
const SOCKET = '/tmp/balloon-lab-control'
const PORT = '/tmp/balloon-lab-port'

/**
 * Runs in the lab: sends a request if one is named, then asks until resident memory or what the guest gave are within
 * the limits; prints what it saw last. No limit of its own: whoever waits for it has one.
 */
const WATCH = `
  const [request, field, least, most] = process.argv.slice(1)
  const socket = require('node:net').connect('${SOCKET}')
  const send = (id, method, params) => socket.write(JSON.stringify({ id, method, params }) + '\\n')
  let pid, seen
  if (request) send(1, 'balloon', { bytes: Number(request) })
  send(2, 'status')
  require('node:readline').createInterface({ input: socket }).on('line', (line) => {
    const { id, result } = JSON.parse(line)
    if (id === 2) pid = result.pid
    if (id === 2) send(3, 'counters')
    if (id !== 3) return
    const pages = require('node:fs').readFileSync('/proc/' + pid + '/statm', 'latin1').split(' ')[1]
    seen = { resident: pages * 4096, ...result.balloon }
    if (seen[field] >= Number(least) && seen[field] <= Number(most) && seen.statistics.total) {
      console.log(JSON.stringify(seen))
      process.exit()
    }
    setTimeout(send, 500, 3, 'counters')
  })`

describe("Debian's drivers", () => {
  test('memory a guest frees or gives is the host’s again; a port has its name', async () => {
    await buildPrograms()
    const lab = await sharedLab()
    const folder = path.join(sharedScratch(), 'balloon')
    await mkdir(folder, { recursive: true })
    const kernel = await debianKernel(cacheDirectory, 'cloud-amd64', () => {})
    const initrd = path.join(folder, 'initrd')
    await writeFile(initrd, await guestInitrd(kernel.modules, ['virtio_balloon', 'virtio_console']))
    const guest = new LabGuest(lab, [
      ...['--kernel', kernel.vmlinuz, '--initrd', initrd, '--memory', '384M', '--control', `unix:${SOCKET}`],
      ...['--port', `org.qemu.guest_agent.0,unix:${PORT}`],
      ...['--cmdline', `${GUEST_CMDLINE} run=shell`],
    ])
    const watch = async (field: string, least: number, most: number, request = '') => {
      const args = ['-e', WATCH, request, field, String(least), String(most)]
      const { stdout, stderr } = await lab.run('node', args, { timeoutMs: BOOT_MS })
      assert.notEqual(stdout, '', stderr)
      return JSON.parse(stdout) as { resident: number; statistics: { total: number; available: number } }
    }
    try {
      await guest.until(/guest# /)
      await guest.shell(
        'mkdir /fill; mount -t tmpfs -o size=300m none /fill; head -c 200m /dev/zero > /fill/file',
      )
      const full = await watch('resident', 200 * MIB, Number.MAX_SAFE_INTEGER)
      await guest.shell('rm /fill/file')
      await watch('resident', 0, full.resident - 180 * MIB)

      const before = await watch('actualBytes', 0, 0)
      const asked = await watch('actualBytes', 128 * MIB, 128 * MIB, String(128 * MIB))
      assert.ok(asked.resident < full.resident - 180 * MIB)
      const available = async (): Promise<number> =>
        Number(/MemAvailable: *(\d+)/.exec(await guest.shell('grep MemAvailable /proc/meminfo'))![1]) * 1024
      const small = await available()
      assert.ok(small < before.statistics.available - 100 * MIB, `${small} of ${before.statistics.available}`)
      await watch('actualBytes', 0, 0, '0')
      assert.ok((await available()) > small + 100 * MIB)

      const name = await guest.shell('cat /sys/class/virtio-ports/*/name')
      assert.equal(name.trim(), 'org.qemu.guest_agent.0')
      await guest.type('poweroff -f\n')
      assert.equal((await guest.end()).code, 0)
    } finally {
      await guest.process.stop(1000)
    }
  })
})
