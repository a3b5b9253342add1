/**
 * Backups of a Debian 12 that runs and writes, with the real agent and monitor in the lab: put back in its place, made
 * into another VM, and put together by the shell alone. What the guest wrote is compared inside the guest. Its host's
 * file system shares no blocks, as ext4: that is where a copy takes long.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { BackupReport } from '@hearth/shared/backup'
import { GIB, MIB } from '@hearth/shared/units'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { cacheDirectory } from '../../../../infra/lib/paths.ts'
import { ensureImage } from '../../../../infra/recipes/build.ts'
import { collectEvents, openConsole, testSpec, until, type Viewer } from '../testing/agent-harness.ts'
import { AgentInLab, slow } from '../testing/agent-in-lab.ts'

const host = '/srv/no-reflinks'
const target = '/srv/backup-disk'
const password = 'teapot-on-the-stove'
/** Debian boots in half a minute of an emulated CPU that nobody else wants. */
const bootMs = 900_000

let agent: AgentInLab

/** A shell in a guest's serial console. */
class Shell {
  readonly #viewer: Viewer
  #asked = 0

  constructor(vmUid: string) {
    this.#viewer = openConsole(agent.port, vmUid)
  }

  type(text: string): void {
    this.#viewer.socket.send(Buffer.from(text))
  }

  async signIn(name: string): Promise<void> {
    const said = (pattern: RegExp, from: number, ms: number) =>
      until(String(pattern), () => pattern.test(this.#viewer.text().slice(from)), ms).then(
        () => true,
        () => false,
      )
    await until('the login', () => this.#viewer.text().includes(`${name} login:`), bootMs)
    // cloud-init may set the password a moment after the login is there.
    for (let attempt = 0; attempt < 15; attempt++) {
      const from = this.#viewer.text().length
      this.type('\n')
      if (!(await said(/login: *$/m, from, 30_000))) continue
      this.type('ada\n')
      if (!(await said(/Password: *$/m, from, 30_000))) continue
      this.type(`${password}\n`)
      if (await said(/\$ *$/m, from, 60_000)) return
    }
    throw new Error(`nobody can sign in:\n${this.#viewer.text().slice(-2000)}`)
  }

  /** What a command says. */
  async ask(command: string): Promise<string> {
    const from = this.#viewer.text().length
    const mark = `done-${++this.#asked}`
    // Split, so that its echo is not taken for the answer.
    this.type(`echo 'begin''s'; ${command}; echo '${mark.slice(0, 2)}''${mark.slice(2)}'\n`)
    const answer = new RegExp(`begins\\r?\\n([\\s\\S]*?)${mark}`)
    const match = await until(
      `an answer to ${command}`,
      () => answer.exec(this.#viewer.text().slice(from)),
      slow,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#viewer.text().slice(-2000)}`)
    })
    return match[1]!.replaceAll('\r', '').trim()
  }

  close(): void {
    this.#viewer.socket.close()
  }
}

async function backUp(vmUid: string): Promise<BackupReport & { heldMs: number }> {
  const { events, stop } = collectEvents(agent)
  await until('the first event', () => events.length > 0, slow)
  const backupUid = randomUUID()
  let paused = 0
  let heldMs = 0
  const watch = setInterval(() => {
    const states = events.flatMap((one) => (one.type === 'vm' && one.vm.vmUid === vmUid ? [one.vm] : []))
    if (paused === 0 && states.some(({ state }) => state === 'paused')) paused = Date.now()
    if (paused > 0 && heldMs === 0 && states.at(-1)?.state === 'running') heldMs = Date.now() - paused
  }, 5)
  await agent.done((actionId) => agent.client.backup.take.mutate({ actionId, vmUid, backupUid }), bootMs)
  clearInterval(watch)
  const event = await until('the backup', () => events.find((one) => one.type === 'backup'), slow)
  stop()
  assert.ok(event.type === 'backup' && event.backup.backupUid === backupUid)
  return { ...event.backup, heldMs }
}

const restored = (vmUid: string, { backupUid }: BackupReport) =>
  agent.done((actionId) => agent.client.backup.restore.mutate({ actionId, vmUid, backupUid }), bootMs)

/** The two numbers that the guest writes one after the other, each for certain before the next. */
const pair = async (shell: Shell) => (await shell.ask('cat first second')).split(/\s+/).map(Number)

async function expectPair(shell: Shell): Promise<number> {
  const [first, second] = await pair(shell)
  assert.ok(first! > 0 && (first === second || first === second! + 1), `${first} and ${second}`)
  return second!
}

describe('backups of a real guest', () => {
  let spec: VmSpec
  before(async () => {
    const images = join(cacheDirectory, 'test-images')
    await mkdir(images, { recursive: true })
    await ensureImage('debian-12', { images, cacheDir: cacheDirectory })
    agent = await AgentInLab.prepare({
      name: 'backup-lab-test',
      guestPort: 7435,
      state: `${host}/state`,
      images,
    })
    await agent.run(`mkdir -p ${host} ${target}; mount -t tmpfs -o size=6g tmpfs ${host}`)
    await agent.start()
    await agent.client.backup.setTarget.mutate({ folder: target })
    const passwordHash = execFileSync('openssl', ['passwd', '-6', password], { encoding: 'utf8' }).trim()
    spec = testSpec({
      ...{ image: 'debian-12', name: 'archive', memoryBytes: 512 * MIB, diskBytes: 4 * GIB },
      cloudInit: { user: 'ada', passwordHash, sshAuthorizedKeys: [] },
    })
  })
  after(async () => {
    for (const { vmUid } of (await agent?.client.vm.list.query().catch(() => [])) ?? [])
      await agent.power(vmUid, 'poweroff').catch(() => undefined)
    await agent?.stop()
    await agent?.run(`umount -l ${host}; rm -rf ${target}`)
  })

  let first: BackupReport
  let second: BackupReport

  test('a Debian that writes is backed up twice while it runs, and hardly held', async () => {
    await agent.done((actionId) => agent.client.vm.create.mutate({ actionId, spec, start: true }), slow)
    const shell = new Shell(spec.vmUid)
    await shell.signIn('archive')
    await shell.ask(
      'head -c 24M /dev/urandom > photos; echo first > letter; sha256sum photos letter > sums; sync',
    )
    shell.type(
      '(n=0; while :; do n=$((n + 1)); for f in first second; do echo $n | dd of=$f conv=fsync,notrunc 2>/dev/null; done; done) &\n',
    )
    await until(
      'the guest agent',
      async () => {
        const vm = (await agent.client.vm.list.query()).find(({ vmUid }) => vmUid === spec.vmUid)
        return (vm?.addresses.length ?? 0) > 0
      },
      slow,
    )
    const one = await backUp(spec.vmUid)
    const middle = await expectPair(shell)
    await shell.ask('echo second > letter; sha256sum photos letter > sums; sync')
    const two = await backUp(spec.vmUid)
    assert.ok((await expectPair(shell)) > middle, 'it goes on')
    for (const { consistency, heldMs, storedBytes } of [one, two])
      process.stdout.write(`# ${consistency}, held for ${heldMs} ms, ${storedBytes >> 20} MiB stored\n`)
    assert.ok(one.storedBytes > 200 * MIB, String(one.storedBytes))
    assert.ok(two.storedBytes < one.storedBytes / 4, `${two.storedBytes} after ${one.storedBytes}`)
    first = one
    second = two
    shell.close()
  })

  test('the first is put back in its place: the guest has what it had then', async () => {
    await agent.power(spec.vmUid, 'poweroff')
    await restored(spec.vmUid, first)
    await agent.power(spec.vmUid, 'start')
    const shell = new Shell(spec.vmUid)
    await shell.signIn('archive')
    assert.equal(await shell.ask('cat letter; sha256sum -c sums'), 'first\nphotos: OK\nletter: OK')
    await expectPair(shell)
    shell.close()
  })

  test('the VM is gone; the second becomes a VM of its own, and the shell alone makes the same disk', async () => {
    await agent.done((actionId) => agent.client.vm.delete.mutate({ actionId, vmUid: spec.vmUid }))
    const copy = testSpec({
      ...{ image: 'debian-12', name: 'archive-again', memoryBytes: 512 * MIB, diskBytes: 4 * GIB },
      ...(spec.cloudInit ? { cloudInit: spec.cloudInit } : {}),
    })
    const backup = { backupUid: second.backupUid, volumes: [] }
    await agent.done(
      (actionId) => agent.client.vm.create.mutate({ actionId, spec: copy, start: false, backup }),
      bootMs,
    )
    const docs = await readFile(new URL('../../../../docs/backups.md', import.meta.url), 'utf8')
    const script = /```sh\n(# a disk out of a backup\n[\s\S]*?)```/.exec(docs)?.[1]
    assert.ok(script, 'the documentation says how')
    await writeFile(join(agent.folder, 'by-hand.sh'), `set -eu\n${script}`)
    const sums = await agent.run(`
      export BACKUP=${target}/${spec.vmUid}/${second.backupUid} FILE=disk.raw OUT=${host}/by-hand.raw
      bash ${agent.folder}/by-hand.sh
      for disk in $OUT ${agent.state}/vms/${copy.vmUid}/disk.raw; do sha256sum < $disk; done; rm $OUT`)
    const [byHand, byHearth] = sums.split('\n')
    assert.match(byHand ?? '', /^[0-9a-f]{64}/)
    assert.equal(byHand, byHearth)

    await agent.power(copy.vmUid, 'start')
    const shell = new Shell(copy.vmUid)
    await shell.signIn('archive-again')
    assert.equal(await shell.ask('cat letter; sha256sum -c sums'), 'second\nphotos: OK\nletter: OK')
    await expectPair(shell)
    shell.close()
  })
})
