/** SeaBIOS itself, on any KVM: it needs nothing that an emulated one lacks. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { FIRMWARE_FILES } from './images.ts'
import { bootSectorDisk } from './testing/boot-sector.ts'

const MAIN = new URL('../main.ts', import.meta.url).pathname
const folder = mkdtempSync(path.join(os.tmpdir(), 'seabios-'))
after(() => rmSync(folder, { recursive: true }))

const usable = (() => {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return existsSync(FIRMWARE_FILES.bios)
  } catch {
    return false
  }
})()

test('a disk given alone starts by its boot sector, which reads on and prints through the BIOS', {
  skip: !usable && 'needs /dev/kvm and the package seabios',
}, async () => {
  const disk = path.join(folder, 'disk.raw')
  writeFileSync(disk, bootSectorDisk('read by int 13h, printed by int 10h'))
  const log = path.join(folder, 'firmware.log')
  // More than fits below the PCI configuration window, so that RAM is split.
  const args = ['--disk', `${disk},ro`, '--memory', '3G', '--cpus', '2', '--firmware-log', log]
  const child = spawn(process.execPath, [MAIN, 'run', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  // A BIOS that finds nothing to start tries again for ever.
  const limit = setTimeout(() => child.kill(), 120_000)
  const code = await new Promise((resolve) => child.on('close', resolve))
  clearTimeout(limit)
  assert.equal(code, 0, output)
  assert.match(output, /Press ESC for boot menu/)
  assert.match(output, /read by int 13h, printed by int 10h/)
  const said = readFileSync(log, 'utf8')
  assert.match(said, /Found 2 cpu\(s\)/)
  assert.match(said, /1: \/pci@i0cf8\/scsi@a\/disk@0,0/)
  assert.match(said, /addr 0x0000000100000000 len 0x0000000040000000 \[RAM\]/)
  assert.match(said, /ACPI: parse DSDT/)
  assert.doesNotMatch(said, /WARNING|Unable|internal error/i)
})
