/** Kernels that others made for Multiboot, unmodified from Debian's packages, inside the lab. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { buildPrograms } from '../../../../infra/build/programs.ts'
import { debianPackage, packageDependency } from '../../../../infra/lab/debian-package.ts'
import type { Lab } from '../../../../infra/lab/lab.ts'
import { sharedLab, sharedScratch } from '../../../../infra/lab/shared.ts'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { LabGuest } from '../testing/lab-guest.ts'

let lab: Lab
let folder: string
const guests: LabGuest[] = []

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  folder = path.join(sharedScratch(), 'real-kernels')
  await mkdir(folder)
})
afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.process.stop(1000)
})

function boot(...args: string[]): LabGuest {
  const guest = new LabGuest(lab, ['--no-reboot', ...args])
  guests.push(guest)
  return guest
}

/** What the package has under boot, unpacked; undefined when this Debian has no such package. */
async function kernelOf(packageName: string, file: RegExp): Promise<string | undefined> {
  const files = await debianPackage(cacheDirectory, packageName)
  if (files === undefined) return undefined
  const name = (await readdir(path.join(files, 'boot'))).find((entry) => file.test(entry))
  assert.ok(name !== undefined, `no kernel in ${packageName}`)
  const kernel = path.join(folder, name.replace(/\.gz$/, ''))
  await writeFile(kernel, gunzipSync(await readFile(path.join(files, 'boot', name))))
  return kernel
}

test('GNU Mach reads the memory map that it is given', async (t) => {
  const kernel = await kernelOf('gnumach-image-1.8-486', /^gnumach-.*-486\.gz$/)
  if (kernel === undefined) return t.skip('this Debian has no gnumach-image-1.8-486')
  const guest = boot('--kernel', kernel, '--memory', '512M', '--cmdline', 'gnumach console=com0')
  await guest.until(/GNU Mach 1\.8/)
  await guest.until(/0000009f000, available[\s\S]*00100000:0*20000000, available/)
  await guest.until(/No bootstrap code loaded with the kernel/)
})

test('Xen comes through its real-mode code, as behind a BIOS, and asks for the kernel it was not given', async (t) => {
  const name = await packageDependency('xen-system-amd64', 'xen-hypervisor-')
  const kernel = name && (await kernelOf(name, /^xen-.*-amd64\.gz$/))
  if (!kernel) return t.skip('this Debian has no xen-hypervisor')
  const guest = boot('--kernel', kernel, '--memory', '1G', '--cmdline', 'xen console=com1 com1=115200,8n1')
  await guest.until(/\(XEN\) Xen version 4\./)
  await guest.until(/\(XEN\) Bootloader: Hearth/)
  await guest.until(/dom0 kernel not specified/)
})
