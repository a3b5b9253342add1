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
import { LabControl } from '../testing/lab-control.ts'
import { BOOT_MS, GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'

const MIB = 2 ** 20
const SOCKET = '/tmp/balloon-lab-control'
const PORT = '/tmp/balloon-lab-port'

interface Seen {
  /** Of the monitor's process, in bytes. */
  readonly resident: number
  readonly actualBytes: number
  readonly statistics: { readonly total: number; readonly available: number }
}

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
    /** Asks until resident memory or what the guest gave are within the limits; returns what it saw last. */
    const watch = async (field: 'resident' | 'actualBytes', least: number, most: number): Promise<Seen> => {
      const deadline = Date.now() + BOOT_MS
      for (;;) {
        const { balloon } = (await control!.call('counters')).result as { balloon: Omit<Seen, 'resident'> }
        const pages = (await lab.run('cat', [`/proc/${pid}/statm`])).stdout.split(' ')[1]
        const seen = { ...balloon, resident: Number(pages) * 4096 }
        if (seen[field] >= least && seen[field] <= most && seen.statistics.total) return seen
        assert.ok(Date.now() < deadline, JSON.stringify(seen))
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    }
    const ask = async (bytes: number): Promise<void> =>
      assert.ok((await control!.call('balloon', { bytes })).ok)
    let control: LabControl | undefined
    let pid: number
    try {
      await guest.until(/guest# /)
      control = new LabControl(lab, SOCKET)
      pid = ((await control.call('status')).result as { pid: number }).pid
      await guest.shell(
        'mkdir /fill; mount -t tmpfs -o size=300m none /fill; head -c 200m /dev/zero > /fill/file',
      )
      const full = await watch('resident', 200 * MIB, Number.MAX_SAFE_INTEGER)
      await guest.shell('rm /fill/file')
      await watch('resident', 0, full.resident - 180 * MIB)

      const before = await watch('actualBytes', 0, 0)
      await ask(128 * MIB)
      const asked = await watch('actualBytes', 128 * MIB, 128 * MIB)
      assert.ok(asked.resident < full.resident - 180 * MIB)
      const available = async (): Promise<number> =>
        Number(/MemAvailable: *(\d+)/.exec(await guest.shell('grep MemAvailable /proc/meminfo'))![1]) * 1024
      const small = await available()
      assert.ok(small < before.statistics.available - 100 * MIB, `${small} of ${before.statistics.available}`)
      await ask(0)
      await watch('actualBytes', 0, 0)
      assert.ok((await available()) > small + 100 * MIB)

      const name = await guest.shell('cat /sys/class/virtio-ports/*/name')
      assert.equal(name.trim(), 'org.qemu.guest_agent.0')
      await guest.type('poweroff -f\n')
      assert.equal((await guest.end()).code, 0)
    } finally {
      await control?.stop()
      await guest.process.stop(1000)
    }
  })
})
