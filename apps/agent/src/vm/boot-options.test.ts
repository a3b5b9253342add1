import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { VmStore } from '../store/vm-store.ts'
import { bootOptions, requireBoot } from './boot-options.ts'

const files = new VmStore('/s').files('00000000-0000-4000-8000-000000000000')
const boot = { cmdline: 'root=/dev/vda1', recipeHash: 'h', disk: true, seed: true, kernel: true, disc: false }
const spec = (how?: VmSpec['boot']) => ({ name: 'web', ...(how ? { boot: how } : {}) }) as VmSpec

test('an image with a kernel starts by it, one without by firmware, unless somebody says otherwise', () => {
  const direct = bootOptions(spec(), boot, files)
  assert.deepEqual([direct.kernel, direct.commandLine], [files.kernel, 'root=/dev/vda1 hearth.name=web'])
  assert.deepEqual(bootOptions(spec(), { ...boot, kernel: false }, files), {
    boot: 'auto',
    commandLine: '',
    uefiVariables: files.uefiVariables,
  })
  assert.deepEqual(bootOptions(spec('bios'), boot, files), { boot: 'bios', commandLine: '' })
  assert.equal(bootOptions(spec('uefi'), boot, files).uefiVariables, files.uefiVariables)
})

test('a way of starting for which something is missing is refused with what to do', () => {
  requireBoot(spec('direct'), boot)
  requireBoot(spec('uefi'), boot)
  assert.throws(() => requireBoot(spec('direct'), { ...boot, kernel: false }), /starts by firmware/)
  assert.throws(() => requireBoot(spec('bios'), { ...boot, disk: false }), /no disk/)
  assert.throws(() => requireBoot(spec(), { kernel: false, disk: false, disc: false }), /no disk/)
  requireBoot(spec(), { kernel: false, disk: false, disc: true })
})
