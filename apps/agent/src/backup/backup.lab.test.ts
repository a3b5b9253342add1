/**
 * Backups of a real guest that writes to its disk and to a volume all the time, with the real agent and monitor in the
 * lab, and put back in its place. What the guest wrote is compared inside the guest. Its host's file system shares no
 * blocks, as ext4: that is where a copy takes long.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { BackupReport } from '@hearth/shared/backup'
import { GIB, MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { ensureImage } from '../../../../infra/recipes/build.ts'
import { collectEvents, testSpec, until } from '../testing/agent-harness.ts'
import { AgentInLab, slow } from '../testing/agent-in-lab.ts'
import { GuestShell } from '../testing/guest-shell.ts'

const host = '/srv/no-reflinks'
const target = '/srv/backup-disk'
const key = randomBytes(32).toString('hex')
/** What the guest's disk is filled with at first, in bytes; all of it is read, compressed and encrypted by an emulated CPU, twice. */
const photos = 32 * MIB

let agent: AgentInLab

/** Mounted, as a guest does it that was not shut down: the journals of both are played back. */
async function openDisks(spec: VmSpec): Promise<GuestShell> {
  const shell = await GuestShell.open(agent.port, spec)
  assert.equal(
    await shell.ask('mkdir /data; mount /dev/vda /mnt && mount /dev/vdb /data && echo both'),
    'both',
  )
  await shell.ask('cd /mnt')
  return shell
}

/** Numbers that the guest writes one after the other, each for certain before the next, the second to its volume. */
async function expectPair(shell: GuestShell): Promise<number> {
  const answer = await shell.ask('cat /mnt/first /data/second')
  const [first, second] = answer.split(/\s+/).map(Number)
  assert.ok(first! > 0 && (first === second || first === second! + 1), answer)
  return second!
}

interface Taken {
  backup: BackupReport
  steps: string[]
}

async function backUp(vmUid: string): Promise<Taken> {
  const { events, stop } = collectEvents(agent)
  await until('the first event', () => events.length > 0, slow)
  const backupUid = randomUUID()
  await agent.done((actionId) => agent.client.backup.take.mutate({ actionId, vmUid, backupUid }))
  const event = await until('the backup', () => events.find((one) => one.type === 'backup'), slow)
  stop()
  assert.ok(event.type === 'backup' && event.backup.backupUid === backupUid)
  return {
    backup: event.backup,
    steps: events.flatMap((one) => (one.type === 'action' ? [one.action.step] : [])),
  }
}

describe('backups of a real guest', () => {
  const volumeUid = randomUUID()
  const size = { image: 'with-files', memoryBytes: 256 * MIB, diskBytes: 1 * GIB }
  const spec = testSpec({ ...size, name: 'archive', volumes: [{ volumeUid, serial: 'volume-1' }] })
  let first: BackupReport

  before(async () => {
    agent = await AgentInLab.prepare({ name: 'backup-lab-test', guestPort: 7435, state: `${host}/state` })
    const { images } = agent
    await ensureImage('tiny-linux', { images, cacheDir: cacheDirectory })
    await cp(join(images, 'tiny-linux'), join(images, 'with-files'), { recursive: true })
    const files = join(agent.folder, 'files')
    await mkdir(files)
    await writeFile(join(files, 'photos'), randomBytes(photos))
    const disk = join(images, 'with-files', 'disk.raw')
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', files, disk, '1G'])
    const manifest = JSON.parse(await readFile(join(images, 'tiny-linux', 'image.json'), 'utf8')) as object
    const withDisk = { ...manifest, imageUid: 'with-files', disk: { file: 'disk.raw', bytes: 1 * GIB } }
    await writeFile(join(images, 'with-files', 'image.json'), JSON.stringify(withDisk))
    await agent.run(`mkdir -p ${host} ${target}; mount -t tmpfs -o size=3g tmpfs ${host}`)
    await agent.start()
    await agent.client.backup.setTarget.mutate({ folder: target, key })
    const volume = { volumeUid, bytes: 1 * GIB, format: 'ext4' as const }
    await agent.done((actionId) => agent.client.volume.create.mutate({ actionId, ...volume }))
  })
  after(async () => {
    for (const { vmUid } of (await agent?.client.vm.list.query().catch(() => [])) ?? [])
      await agent.power(vmUid, 'poweroff').catch(() => undefined)
    await agent?.stop()
    await agent?.run(`umount -l ${host}; rm -rf ${target}`)
  })

  test('it is backed up twice while it writes: copied while it goes on, the second time only what changed', async () => {
    await agent.done((actionId) => agent.client.vm.create.mutate({ actionId, spec, start: true }))
    const shell = await openDisks(spec)
    await shell.ask('echo one > letter; sha256sum photos letter > sums; sync')
    await shell.ask(
      '(n=0; while :; do n=$((n + 1)); for f in /mnt/first /data/second; do echo $n | dd of=$f conv=fsync,notrunc 2>/dev/null; done; done) & :',
    )
    await until('the guest to write', async () => Number(await shell.ask('cat /data/second')) > 0, slow)
    const one = await backUp(spec.vmUid)
    const middle = await expectPair(shell)
    await shell.ask('echo two > letter; sha256sum photos letter > sums; sync')
    const two = await backUp(spec.vmUid)
    assert.ok((await expectPair(shell)) > middle, 'it goes on')
    shell.close()
    for (const { backup, steps } of [one, two]) {
      assert.equal(backup.consistency, 'paused')
      assert.deepEqual(backup.volumes, [{ volumeUid, bytes: 1 * GIB }])
      const [copying, holding] = [steps.indexOf('Copying the disk'), steps.indexOf('Holding the guest still')]
      assert.ok(copying >= 0 && copying < holding, steps.join(', '))
    }
    assert.ok(one.backup.storedBytes > photos, String(one.backup.storedBytes))
    assert.ok(two.backup.storedBytes < photos / 2, String(two.backup.storedBytes))
    // Encrypted, nothing of it tells whose it is.
    assert.equal(await agent.run(`grep -rl archive ${target} || echo nothing`), 'nothing')
    first = one.backup
  })

  test('the first is put back in its place: the guest has what it had then, on both disks', async () => {
    await agent.power(spec.vmUid, 'poweroff')
    const { backupUid } = first
    await agent.done((actionId) =>
      agent.client.backup.restore.mutate({ actionId, vmUid: spec.vmUid, backupUid }),
    )
    await agent.power(spec.vmUid, 'start')
    const shell = await openDisks(spec)
    assert.equal(await shell.ask('cat letter; sha256sum -c sums'), 'one\nphotos: OK\nletter: OK')
    await expectPair(shell)
    shell.close()
  })
})
