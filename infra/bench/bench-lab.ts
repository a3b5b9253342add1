/** The lab of a benchmark, with everything the guests need in it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { GIB } from '@hearth/shared/units'
import { guestInitrd } from '../../packages/vmm/src/testing/lab-guest.ts'
import { debianKernel } from '../lab/debian-kernel.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { unpackedKernel } from '../lab/vmlinux.ts'
import { cacheDirectory } from '../lib/paths.ts'
import { bareKernel, helloCode, portCode } from './bare-guest.ts'
import type { GuestParts } from './monitors.ts'
import { compile } from './programs.ts'

export const HOST = '192.168.235.1'
export const GUEST = '192.168.235.2'
export const DISK_MIB = 96
export const DOWNLOAD_MIB = 24
/** Port accesses of each kind in one lap of the guest. */
export const PORT_ACCESSES = 5000
const TAP = 'hearth-bench'
const DATA = '/srv/bench'
const PAGE = 4096
/** Zeroes behind a cpio archive mean nothing. */
const TAIL = 16

export interface BenchLab {
  readonly lab: Lab
  /** The folder on the lab's own disk. */
  readonly data: string
  /** Linux with a shell, a disk and a network. */
  readonly linux: GuestParts
  /** A guest of a few instructions that says `a` and halts. */
  readonly hello: GuestParts
  /** Another one, see portCode. */
  readonly ports: GuestParts
  /** The C loop and the code it runs. */
  readonly loop: readonly string[]
  readonly guestKernel: string
  run(script: string): Promise<string>
  close(): Promise<void>
}

/**
 * QEMU microvm puts the initrd at the very top of memory, where its firmware has put the ACPI tables, and starts it at
 * a page: only where the archive takes little of its last page do the tables survive.
 */
function clearOfTables(archive: Buffer): Buffer {
  const pages = Math.ceil(archive.length / PAGE)
  return Buffer.concat([archive], pages * PAGE + TAIL)
}

export async function openBenchLab(): Promise<BenchLab> {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'hearth-bench-'))
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => rm(scratch, { recursive: true, force: true }))
  const file = async (name: string, content: Uint8Array): Promise<string> => {
    await writeFile(path.join(scratch, name), content)
    return path.join(scratch, name)
  }
  const debian = await debianKernel(cacheDirectory, 'cloud-amd64', () => {})
  const kernel = await unpackedKernel(cacheDirectory, debian)
  const load = await readFile(await compile('disk-load', scratch))
  const archive = await guestInitrd(debian.modules, [], new Map([['disk-load', load]]))
  const initrd = await file('initrd', clearOfTables(archive))
  const hello = await file('hello', bareKernel(helloCode))
  const ports = await file('ports', bareKernel(portCode(PORT_ACCESSES)))
  const code = await file('ports.bin', Uint8Array.from(portCode(PORT_ACCESSES)))
  const loop = [await compile('kvm-loop', scratch), code]
  const lab = await startLab({
    cpus: 1,
    memoryBytes: 6 * GIB,
    shares: [cacheDirectory, { path: scratch, writable: true }],
    dataDisk: { path: DATA, file: path.join(scratch, 'data.img'), bytes: 8 * GIB },
  })
  cleanup.use(lab)
  const run = async (script: string): Promise<string> => {
    const { code: status, stdout, stderr } = await lab.run('sh', ['-ec', script], { timeoutMs: 120_000 })
    if (status !== 0) throw new Error(`${stderr.trim()}\n${script}`)
    return stdout.trim()
  }
  await run(
    `mkdir -p ${DATA}/www && cd ${DATA}
     dd if=/dev/urandom of=disk.raw bs=1M count=${DISK_MIB} 2>/dev/null
     dd if=/dev/urandom of=www/file bs=1M count=${DOWNLOAD_MIB} 2>/dev/null
     ip tuntap add ${TAP} mode tap vnet_hdr
     ip addr add ${HOST}/24 dev ${TAP}
     ip link set ${TAP} up
     cat ${kernel} ${initrd} ${hello} ${ports} > /dev/null`,
  )
  lab.spawn('busybox', ['httpd', '-f', '-p', `${HOST}:8125`, '-h', `${DATA}/www`])
  const bare = { memoryMib: 32 }
  const opened = cleanup.move()
  return {
    ...{ lab, data: DATA, run, loop, guestKernel: debian.packageVersion },
    linux: {
      ...{ kernel, initrd, memoryMib: 256, disk: `${DATA}/disk.raw`, tap: TAP, name: 'bench-linux' },
      // One vCPU each, so none of the precautions of the lab's tests (which QEMU microvm does not boot with).
      commandLine: 'console=ttyS0 quiet run=shell reboot=t',
    },
    hello: { ...bare, kernel: hello, name: 'bench-hello' },
    ports: { ...bare, kernel: ports, name: 'bench-ports' },
    close: () => opened.disposeAsync(),
  }
}
