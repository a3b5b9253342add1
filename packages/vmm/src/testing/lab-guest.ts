/** Debian's kernel with a busybox shell under hearth-vmm inside the lab, for tests to type into. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { vmmEntry } from '../../../../infra/build/programs.ts'
import { type CpioEntry, cpioArchive } from '../../../../infra/lab/cpio.ts'
import { staticBusybox } from '../../../../infra/lab/initrd.ts'
import { moduleFiles, readModuleIndex } from '../../../../infra/lab/kernel-modules.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import type { LabProcess } from '../../../../infra/lab/lab-process.ts'

const MODULES = ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio-rng', 'button', 'evdev', 'pvpanic-mmio']
/** Generous: the lab's CPU is emulated, and the machine under it may be busy. */
export const BOOT_MS = 300_000

/**
 * For every guest with Linux in the lab. Its ticks never stop: at a time when QEMU delivered interrupts twice
 * (infra/lab/qemu-mends.ts) a sleeping vCPU was now and then not woken by another, and slept for good. Since then it has
 * not been seen in 9,000 such wake-ups without this.
 */
export const GUEST_CMDLINE = 'console=ttyS0 quiet nohz=off highres=off'

/**
 * An initrd with busybox, the virtio modules (from the folder `modules`) and those named, and `programs` (name in /bin,
 * content); init is `guest-init.sh` or another script.
 */
export async function guestInitrd(
  modules: string,
  more: readonly string[] = [],
  programs: ReadonlyMap<string, Uint8Array> = new Map(),
  script = new URL('./guest-init.sh', import.meta.url),
): Promise<Buffer> {
  const needed = moduleFiles(await readModuleIndex(modules), [...MODULES, ...more])
  const init = await readFile(script)
  const folders = ['bin', 'dev', 'proc', 'sys', 'modules']
  const entries: CpioEntry[] = folders.map((folder) => ({ path: folder, type: 'directory' }))
  entries.push({ path: 'dev/console', type: 'character-device', major: 5, minor: 1 })
  entries.push({ path: 'init', type: 'file', data: init, mode: 0o755 })
  entries.push({ path: 'bin/busybox', type: 'file', data: await staticBusybox(), mode: 0o755 })
  for (const [name, data] of programs) entries.push({ path: `bin/${name}`, type: 'file', data, mode: 0o755 })
  const names = needed.map((file) => path.basename(file))
  entries.push({ path: 'modules/order', type: 'file', data: Buffer.from(names.join('\n')) })
  for (const file of needed) {
    const data = await readFile(path.join(modules, file))
    entries.push({ path: `modules/${path.basename(file)}`, type: 'file', data })
  }
  return cpioArchive(entries)
}

/** A running hearth-vmm and what it printed. */
export class LabGuest {
  output = ''
  errors = ''
  readonly process: LabProcess
  private readonly changed = new Set<() => void>()
  private seen = 0

  /** With `program`, `args` are that program's: another monitor, to compare with. */
  constructor(lab: Lab, args: readonly string[], program?: string) {
    const command = program === undefined ? [vmmEntry, 'run', ...args] : [...args]
    this.process = lab.spawn(program ?? 'node', command, {
      stdin: true,
      onStdout: (chunk) => {
        this.output += chunk.toString('latin1')
        for (const wake of this.changed) wake()
      },
      onStderr: (chunk) => {
        this.errors += chunk.toString()
      },
    })
    void this.process.ended.then(() => {
      for (const wake of this.changed) wake()
    })
  }

  /** Waits for `pattern` in what came after the last match; returns the match. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    let over = false
    void this.process.ended.then(() => {
      over = true
    })
    const deadline = Date.now() + BOOT_MS
    for (;;) {
      const match = pattern.exec(this.output.slice(this.seen))
      if (match) {
        this.seen += match.index + match[0].length
        return match
      }
      if (over || Date.now() > deadline) {
        assert.fail(`${pattern} did not come.\n${this.errors}\n--- console ---\n${this.output}`)
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, 1000)
        const changed = this.changed
        function done(): void {
          clearTimeout(timer)
          changed.delete(done)
          resolve()
        }
        changed.add(done)
      })
    }
  }

  async type(text: string): Promise<void> {
    const { stdin } = await this.process.started
    stdin!.write(text)
  }

  /** Runs a command in the guest's shell and returns what it prints. */
  async shell(command: string): Promise<string> {
    // The shell echoes what is typed, wrapped anywhere: the markers only become whole when it runs them.
    await this.type(`echo "-- be""gin"; ${command}; echo "-- done" $((1 + $?))\n`)
    return (await this.until(/-- begin\r\n([\s\S]*?)-- done \d+\r\n/))[1]!.replaceAll('\r', '')
  }

  /** The exit code and the one line that explains it. */
  async end(): Promise<{ code: number; line: string }> {
    const { code } = await this.process.exit
    return { code, line: this.errors.trimEnd() }
  }
}
