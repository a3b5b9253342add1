/**
 * The whole monitor with Debian's unmodified kernels, inside the lab: boot protocols, SMP, with and without ACPI, little
 * memory and much, devices, every way to end, control and serial sockets, refusals of the host.
 */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { buildPrograms, vmmEntry } from '../../../../infra/build/programs.ts'
import { debianKernel, type KernelFlavour } from '../../../../infra/lab/debian-kernel.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import { sharedLab, sharedScratch } from '../../../../infra/lab/shared.ts'
import { unpackedKernel } from '../../../../infra/lab/vmlinux.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { LabControl } from '../testing/lab-control.ts'
import { BOOT_MS, GUEST_CMDLINE, guestInitrd, LabGuest } from '../testing/lab-guest.ts'
import { powerOff, print, tinyKernel } from '../testing/tiny-guest.ts'

interface KernelFiles {
  readonly bzImage: string
  readonly vmlinux: string
  readonly initrd: string
}

let lab: Lab
let generic: KernelFiles
let cloud: KernelFiles

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  const folder = path.join(sharedScratch(), 'vmm-machine')
  await mkdir(folder)
  generic = await kernelFiles('amd64', folder)
  cloud = await kernelFiles('cloud-amd64', folder)
})

async function kernelFiles(flavour: KernelFlavour, folder: string): Promise<KernelFiles> {
  const kernel = await debianKernel(cacheDirectory, flavour)
  const vmlinux = await unpackedKernel(cacheDirectory, kernel)
  const initrd = path.join(folder, `initrd-${flavour}`)
  await writeFile(initrd, await guestInitrd(kernel.modules))
  return { bzImage: kernel.vmlinuz, vmlinux, initrd }
}

const running = new Set<LabGuest>()
after(async () => {
  for (const guest of running) await guest.process.stop(1000)
})

/** The cloud kernel's ELF by PVH, unless it is said otherwise. */
function start(options: {
  kernel?: string
  initrd?: string
  run?: string
  commandLine?: string
  memory?: string
  args?: readonly string[]
}): LabGuest {
  const { kernel = cloud.vmlinux, initrd = cloud.initrd, memory = '256M', args = [] } = options
  const commandLine = `${GUEST_CMDLINE} run=${options.run ?? 'shell'} ${options.commandLine ?? ''}`
  const guest = new LabGuest(lab, [
    ...['--kernel', kernel, '--initrd', initrd, '--memory', memory, '--cmdline', commandLine, ...args],
  ])
  running.add(guest)
  void guest.process.ended.then(() => running.delete(guest))
  return guest
}

describe('boot', () => {
  // Every kernel by every protocol, and each of both with several counts of vCPUs; those that are missing are below.
  // Between them they end in every way that is not the default.
  for (const [name, protocol, cpus, run] of [
    ['cloud', 'bzImage', 4, 'poweroff'],
    ['cloud', 'linux', 1, 'reboot'],
    ['generic', 'bzImage', 1, 'panic'],
    ['generic', 'pvh', 4, 'poweroff'],
  ] as const) {
    const how = { bzImage: 'bzImage', pvh: 'ELF by PVH', linux: 'ELF by its 64-bit entry' }[protocol]
    const [end, code, line] = {
      poweroff: ['off again', 0, /^hearth-vmm: the guest powered off$/],
      reboot: [
        'a reset, code 10',
        10,
        /^hearth-vmm: the guest reset \(reset register\) and --no-reboot was given$/,
      ],
      panic: ['a panic, code 11', 11, /its kernel panicked/],
    }[run] as [string, number, RegExp]
    test(`Debian's ${name} kernel, ${how}, ${cpus} vCPU${cpus > 1 ? 's' : ''}: to user space and ${end}`, async () => {
      const { bzImage, vmlinux, initrd } = name === 'cloud' ? cloud : generic
      const [kernel, ...boot] = protocol === 'bzImage' ? [bzImage] : [vmlinux, '--boot', protocol]
      const guest = start({ kernel, initrd, run, args: ['--cpus', String(cpus), '--no-reboot', ...boot] })
      await guest.until(new RegExp(`GUEST UP cpus=${cpus} memory=2\\d{5}\\r`))
      const ended = await guest.end()
      assert.equal(ended.code, code, guest.output)
      assert.match(ended.line, line)
    })
  }

  test("without ACPI: Debian's generic kernel, ELF by its 64-bit entry, 2 vCPUs and interrupt pins by the MP table", async () => {
    const disk = path.join(sharedScratch(), 'vmm-machine', 'without-acpi.raw')
    await writeFile(disk, Buffer.alloc(1 << 20, 'hearth! '))
    const guest = start({
      ...{ kernel: generic.vmlinux, initrd: generic.initrd },
      commandLine: 'acpi=off pci=nomsi',
      args: ['--boot', 'linux', '--cpus', '2', '--disk', `${disk},ro`, '--no-reboot'],
    })
    await guest.until(/GUEST UP cpus=2/)
    await guest.until(/guest# /)
    assert.equal((await guest.shell('ls -d /sys/firmware/acpi 2>/dev/null')).trim(), '')
    const told = await guest.shell("dmesg | grep -iE 'multiprocessor spec|mptable|ioapic'")
    assert.match(told, /Intel MultiProcessor Specification v1\.4/)
    assert.match(told, /MPTABLE: OEM ID: HEARTH/)
    assert.match(told, /IOAPIC\[0\]: apic_id 2,/)
    assert.equal((await guest.shell('head -c 16 /dev/vda; echo')).trim(), 'hearth! hearth!')
    const interrupts = await guest.shell('cat /proc/interrupts')
    const pin = /^ *\d+: +(\d+) +(\d+) +IO-APIC +(\d+)-fasteoi +virtio\d.*$/m.exec(interrupts)
    assert.ok(pin && Number(pin[1]) + Number(pin[2]) > 0 && Number(pin[3]) >= 16, interrupts)
    await guest.type('reboot -f\n')
    assert.deepEqual(await guest.end(), {
      code: 10,
      line: 'hearth-vmm: the guest reset (keyboard controller) and --no-reboot was given',
    })
  })

  test('64 MiB are enough for the cloud kernel without its tracing, and its initrd lies below it', async () => {
    const disk = path.join(sharedScratch(), 'vmm-machine', 'small.raw')
    await writeFile(disk, Buffer.alloc(8 << 20, 'hearth! '))
    // Locked down it makes no files of tracefs, which take 9 MiB.
    const guest = start({
      memory: '64M',
      commandLine: 'lockdown=confidentiality',
      args: ['--boot', 'pvh', '--disk', disk],
    })
    await guest.until(/GUEST UP cpus=1 memory=[2-3]\d{4}\r/)
    await guest.until(/guest# /)
    assert.equal((await guest.shell('wc -c < /dev/vda; dmesg | grep -c oom')).trim(), `${8 << 20}\n0`)
    assert.match(await guest.shell('dmesg | grep RAMDISK'), /RAMDISK: \[mem 0x00[d-f]\w{5}-0x00ffffff\]/)
    await guest.type('poweroff -f\n')
    assert.deepEqual(await guest.end(), { code: 0, line: 'hearth-vmm: the guest powered off' })
  })

  test('6 GiB: all of it is there, around the PCI hole, and what is above holds what is written', async () => {
    const guest = start({ memory: '6G' })
    await guest.until(/GUEST UP cpus=1 memory=(59|6[0-2])\d{5}\r/)
    await guest.until(/guest# /)
    const usable = (await guest.shell('dmesg | grep BIOS-e820 | grep usable')).match(/0x\w+-0x\w+/g)
    assert.deepEqual(usable?.slice(1), [
      '0x0000000000100000-0x00000000bfffffff',
      '0x0000000100000000-0x00000001bfffffff',
    ])
    assert.match(await guest.shell('grep "System RAM" /proc/iomem'), /^100000000-1bfffffff : System RAM$/m)
    // Linux takes the highest memory first, so this fills the part above 4 GiB.
    await guest.shell('mount -t tmpfs -o size=200m none /modules')
    await guest.shell('seq 1 300000 > /modules/fill')
    assert.equal(
      (await guest.shell('tail -n 1 /modules/fill; wc -l < /modules/fill')).trim(),
      '300000\n300000',
    )
    await guest.type('poweroff -f\n')
    assert.equal((await guest.end()).code, 0)
  })
})

test("Debian's cloud kernel, ELF by PVH, a shell with two CPUs: devices, interrupts, tables without complaint, disk, random numbers, console, clock", async () => {
  const disk = path.join(sharedScratch(), 'vmm-machine', 'disk.raw')
  await writeFile(disk, Buffer.alloc(4 << 20, 'hearth! '))
  const guest = start({ args: ['--cpus', '2', '--disk', disk, '--disk', `${cloud.bzImage},ro`] })
  await guest.until(/GUEST UP cpus=2 memory=2\d{5}\r[\s\S]*guest# /)
  const complaints = await guest.shell(
    "dmesg | grep -E 'ACPI (Error|Warning|Exception|BIOS)|[Ff]irmware [Bb]ug|unknown NMI'",
  )
  assert.equal(complaints, '')
  assert.equal((await guest.shell('cat /sys/devices/system/cpu/online')).trim(), '0-1')
  assert.match(await guest.shell('cat /sys/devices/system/cpu/cpu1/topology/core_id'), /^1$/m)
  assert.match(await guest.shell('grep acpi /proc/interrupts'), /IO-APIC +9-fasteoi +acpi/)
  assert.match(await guest.shell('grep -c virtio /proc/interrupts'), /^[1-9]/)
  assert.equal((await guest.shell('head -c 16 /dev/vda; echo')).trim(), 'hearth! hearth!')
  await guest.shell('echo -n written | dd of=/dev/vda bs=512 seek=3 conv=fsync 2>/dev/null')
  assert.equal((await readFile(disk)).toString('latin1', 1536, 1543), 'written')
  assert.equal((await guest.shell('cat /sys/block/vdb/ro')).trim(), '1')
  assert.equal((await guest.shell('cat /sys/class/misc/hw_random/rng_current')).trim(), 'virtio_rng.0')
  // A burst of output arrives whole and in order.
  const lines = (await guest.shell('seq 1 2000')).trim().split('\n')
  assert.deepEqual(
    lines,
    Array.from({ length: 2000 }, (_, i) => String(i + 1)),
  )
  const clock = Number((await guest.shell('date +%s')).trim())
  assert.ok(Math.abs(clock - Date.now() / 1000) < 60)
  await guest.type('poweroff -f\n')
  assert.deepEqual(await guest.end(), { code: 0, line: 'hearth-vmm: the guest powered off' })
})

test('a reset without --no-reboot starts again with both CPUs; SIGTERM switches off, busy or idle', async () => {
  const guest = start({ args: ['--cpus', '2'] })
  await guest.until(/GUEST UP cpus=2[\s\S]*guest# /)
  await guest.type('reboot -f\n')
  await guest.until(/GUEST UP cpus=2[\s\S]*guest# /)
  await guest.type('while :; do :; done &\n')
  await guest.until(/guest# /)
  guest.process.kill('SIGTERM')
  assert.deepEqual(await guest.end(), { code: 0, line: 'hearth-vmm: switched off (SIGTERM)' })
})

test('control socket: status, pause, resume, power button; serial socket: scrollback for a late viewer', async () => {
  const folder = (await lab.run('mktemp', ['-d'])).stdout.trim()
  const [socket, serial, log] = ['control', 'serial', 'serial.log'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string]
  const guest = start({
    args: ['--cpus', '2', '--control', `unix:${socket}`, '--serial', `unix:${serial}`, '--serial-log', log],
  })
  const waitForShell = `until grep -q 'guest# ' ${log}; do sleep 0.2; done 2>/dev/null`
  assert.equal((await lab.run('sh', ['-c', waitForShell], { timeoutMs: BOOT_MS })).code, 0)
  assert.equal((await lab.run('stat', ['-c', '%a', socket, serial])).stdout, '600\n600\n')

  const control = new LabControl(lab, socket)
  const status = (await control.call('status')).result as Record<string, unknown>
  assert.equal(status.state, 'running')
  assert.equal(status.cpus, 2)
  assert.equal(status.resets, 0)
  assert.equal((await control.call('frobnicate')).ok, false)

  assert.equal((await control.call('pause')).ok, true)
  assert.equal(((await control.call('status')).result as { state: string }).state, 'paused')
  const late = `
    const socket = require('node:net').connect(process.argv[1])
    let text = ''
    let asked = false
    socket.on('data', (chunk) => {
      text += chunk
      if (!asked && text.includes('GUEST UP cpus=2')) {
        asked = true
        socket.write('echo an$((40+2))swer\\n')
        console.log('replayed')
      }
      if (text.includes('an42swer')) process.exit()
    })`
  const viewer = lab.spawn('node', ['-e', late, serial], { onStdout: (chunk) => replay.push(chunk) })
  const replay: Buffer[] = []
  while (!Buffer.concat(replay).includes('replayed')) await new Promise((resolve) => setTimeout(resolve, 50))
  // The scrollback came from a machine that stands still; the answer needs it to run.
  assert.equal((await control.call('resume')).ok, true)
  assert.equal((await viewer.exit).code, 0)

  assert.equal((await control.call('reset')).ok, true)
  const again = `until [ $(grep -c 'GUEST UP' ${log}) = 2 ] && tail -n1 ${log} | grep -q 'guest# '; do sleep 0.2; done`
  assert.equal((await lab.run('sh', ['-c', again], { timeoutMs: BOOT_MS })).code, 0)
  assert.equal(((await control.call('status')).result as { resets: number }).resets, 1)

  assert.equal((await control.call('powerdown')).ok, true)
  assert.deepEqual(await guest.end(), { code: 0, line: 'hearth-vmm: the guest powered off' })
  await control.stop()
  assert.match((await lab.run('cat', [log])).stdout, /POWER BUTTON/)
  // The sockets are gone; the log stays, with the file it rotates to.
  assert.equal((await lab.run('ls', [folder])).stdout, 'serial.log\nserial.log.1\n')
})

test('what the host refuses is exit code 2 and one line that says what to do', async () => {
  // In a folder that anybody may read, for the case without permissions.
  const kernel = '/tmp/tiny-kernel'
  const tiny = await lab.run('sh', ['-c', `cat > ${kernel}; chmod 644 ${kernel}`], {
    stdin: tinyKernel(powerOff),
  })
  assert.equal(tiny.code, 0, tiny.stderr)
  const refusal = async (args: readonly string[], before = ''): Promise<string> => {
    const command = `${before} exec node "$@"`
    const all = ['-c', command, 'sh', vmmEntry, 'run', '--kernel', kernel, ...args]
    const { code, stderr } = await lab.run('sh', all, { timeoutMs: BOOT_MS })
    assert.equal(code, 2, stderr)
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
    return stderr
  }
  assert.match(await refusal(['--memory', '900G']), /this host has \d+ MiB of memory left/)
  assert.match(
    await refusal([], 'exec unshare -m sh -c \'mount -t tmpfs none /dev; exec node "$@"\' sh "$@";'),
    /is not there: switch virtualisation/,
  )
  assert.match(
    await refusal([], 'exec setpriv --reuid 65534 --regid 65534 --clear-groups node "$@";'),
    /no permission to open \/dev\/kvm/,
  )
  assert.match(await refusal(['--net', 'tap:nonesuch']), /no network interface nonesuch/)
  const disk = path.join(sharedScratch(), 'vmm-machine', 'locked.raw')
  await writeFile(disk, Buffer.alloc(1 << 20))
  const holding = path.join(sharedScratch(), 'vmm-machine', 'holding-kernel')
  await writeFile(holding, tinyKernel(print('it has the disk')))
  const holder = new LabGuest(lab, ['--kernel', holding, '--disk', disk])
  running.add(holder)
  await holder.until(/it has the disk/)
  assert.match(await refusal(['--disk', disk]), /in use by another machine/)
  holder.process.kill('SIGTERM')
  assert.equal((await holder.end()).code, 0)
})
