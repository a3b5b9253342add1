import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { ControlClient } from '../control/client.ts'
import { outb, outl, print, tinyKernel } from '../testing/tiny-guest.ts'
import { launcherCommand, launcherEnvironment } from './launcher.ts'
import { landlockVersion } from './system.ts'

const EPERM = 1
const EACCES = 13
const EROFS = 30
const uid = 1_879_048_192 + 4711
const isRoot = process.getuid?.() === 0
const here = (name: string): string => new URL(name, import.meta.url).pathname
const folder = mkdtempSync(path.join(os.tmpdir(), 'jail-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const env = { ...process.env, ...launcherEnvironment }

/** Which jails this user can have here. */
const canLaunch = (user: boolean): boolean => {
  const [command, ...args] = launcherCommand(user)
  return spawnSync(command!, [...args, 'true']).status === 0
}
const jails: Record<string, { launcher: string[]; option: string; possible: boolean }> = {
  "root's": {
    launcher: launcherCommand(false),
    option: `namespaces,uid=${uid}`,
    possible: isRoot && canLaunch(false),
  },
  "a user's": { launcher: launcherCommand(true), option: 'namespaces', possible: canLaunch(true) },
  "a process's own": { launcher: [], option: 'process', possible: true },
}

describe('whoever takes a monitor over', () => {
  for (const [name, { launcher, option, possible }] of Object.entries(jails)) {
    test(`in ${name} jail gets nothing it tries`, { skip: !possible && 'not to be had here' }, () => {
      const disk = path.join(folder, 'disk')
      writeFileSync(disk, Buffer.alloc(4096))
      const [command, ...args] = [...launcher, process.execPath, here('testing/probe.ts'), option]
      const probe = spawnSync(command!, [...args, String(process.pid), disk], { env, encoding: 'utf8' })
      assert.equal(probe.status, 0, probe.stderr)
      const { main, worker, ring } = JSON.parse(probe.stdout) as Record<string, Record<string, number>>
      for (const results of [main!, worker!]) {
        assert.ok(Object.keys(results).length > 60)
        for (const [attempt, code] of Object.entries(results)) assert.equal(code, EPERM, attempt)
      }
      for (const [attempt, code] of Object.entries(ring!)) assert.equal(code, EACCES, attempt)
    })
  }
})

/** Whose folder it is on the host. */
const OWNER = 12_345

describe('with a shared folder', () => {
  for (const [name, { launcher, option, possible }] of Object.entries(jails)) {
    for (const mode of ['read', 'write']) {
      test(`in ${name} jail its thread can ${mode} there, and nobody gets out of it`, {
        skip: !possible && 'not to be had here',
      }, () => {
        const top = mkdtempSync(path.join(folder, 'share-'))
        const shared = path.join(top, 'shared')
        mkdirSync(shared)
        for (const each of [top, shared]) chmodSync(each, 0o777)
        for (const each of ['secret', 'shared/file'])
          writeFileSync(path.join(top, each), each, { mode: 0o644 })
        symlinkSync('../secret', path.join(shared, 'link'))
        if (isRoot) for (const each of [shared, path.join(shared, 'file')]) chownSync(each, OWNER, OWNER)
        const [command, ...args] = [...launcher, process.execPath, here('testing/folder-probe.ts'), option]
        const probe = spawnSync(command!, [...args, shared, mode], { env, encoding: 'utf8' })
        assert.equal(probe.status, 0, probe.stderr)
        const { text, create, makeFolder, rename, list, status, mapped, thread, main } = JSON.parse(
          probe.stdout,
        )
        const writable = mode === 'write'
        assert.deepEqual([text, status], ['shared/file', 0])
        assert.deepEqual([create, makeFolder, rename], writable ? [0, 0, 0] : [-EROFS, -EROFS, -EROFS])
        assert.deepEqual(list, ['.', '..', 'file', ...(writable ? ['folder'] : []), 'link'])
        // Only where neither Landlock nor an empty root stands before it a broken monitor gets out.
        if (landlockVersion() > 0 || option !== 'process') {
          assert.equal(thread.inside, 0)
          for (const out of ['above', 'absolute', 'link']) assert.ok(thread[out] < 0 && main[out] < 0, out)
          if (!writable) assert.ok(thread.make < 0 && main.make < 0)
        }
        if (landlockVersion() > 0) for (const code of Object.values(main)) assert.ok((code as number) < 0)
        if (writable && option.includes('uid')) {
          const made = statSync(path.join(shared, 'folder/renamed'))
          // The folder's own user, where the kernel and the file system have id-mapped mounts.
          const maker = mapped ? OWNER : uid
          assert.deepEqual([made.uid, made.gid, made.mode & 0o777], [maker, maker, 0o640])
        }
      })
    }
  }
})

describe('each wall stands without the others', () => {
  const layers = (parts: string, launcher: string[]): Record<string, unknown> => {
    const [command, ...args] = [...launcher, process.execPath, here('testing/layers.ts'), parts]
    const { status, stdout, stderr } = spawnSync(command!, args, { env, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout) as Record<string, unknown>
  }
  test('an empty root has no files and takes none', { skip: !isRoot && 'needs root' }, () => {
    const found = layers('root', launcherCommand(false))
    assert.deepEqual(found, { open: 'ENOENT', make: 'EROFS', list: 0 })
  })
  test('a stranger reads and makes nothing', { skip: !isRoot && 'needs root' }, () => {
    const { open, make } = layers('user', [])
    assert.deepEqual([open, make], ['EACCES', 'EACCES'])
  })
  test('Landlock refuses what the user may do', { skip: landlockVersion() <= 0 && 'no Landlock' }, () => {
    assert.deepEqual(layers('landlock', []), { open: 'EACCES', make: 'EACCES', list: 'EACCES' })
  })
})

test("--jail by hand empties nobody else's root", () => {
  const kernel = path.join(folder, 'by-hand')
  writeFileSync(kernel, tinyKernel(print('x')))
  const args = [here('../main.ts'), 'run', '--kernel', kernel, '--jail', 'namespaces']
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /started in namespaces of its own/)
})

const kvm = (() => {
  try {
    return openSync('/dev/kvm', 'r+') > 0
  } catch {
    return false
  }
})()

describe('a jailed monitor', { skip: !(kvm && jails["root's"]!.possible) && 'needs root and KVM' }, () => {
  const children: ChildProcess[] = []
  after(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  const start = async (name: string, code: readonly (readonly number[])[], more: readonly string[] = []) => {
    const [kernel, disk, control, log] = ['kernel', 'disk', 'control', 'log'].map((part) =>
      path.join(folder, `${name}-${part}`),
    ) as [string, string, string, string]
    writeFileSync(kernel, tinyKernel(...code))
    writeFileSync(disk, Buffer.alloc(4096))
    const { launcher, option } = jails["root's"]!
    const [command, ...args] = [...launcher, process.execPath, here('../main.ts'), 'run', '--kernel', kernel]
    const child = spawn(
      command!,
      [
        ...args,
        ...['--memory', '32M', '--disk', disk, '--control', `unix:${control}`, '--jail', option],
        ...['--serial', `unix:${control}-serial`, '--serial-log', log],
        ...more,
      ],
      { env, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    // What a failed test leaves running would keep the whole run from its end.
    children.push(child)
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
    const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }))
    })
    let client: ControlClient | undefined
    while (!client) {
      assert.equal(child.exitCode, null, said)
      client = await ControlClient.connect(control, { event() {} }).catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const until = async (condition: (status: { state: string; resets: number }) => boolean) => {
      for (;;) {
        const status = await client.status()
        if (condition(status)) return status
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    return { child, client, exit, until, log }
  }
  const descriptors = (pid: number): string[] =>
    readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))

  test('has nothing but its own user, an empty root and files that were opened before', async () => {
    const vm = await start('look', [print('up')])
    const { pid } = await vm.until(({ state }) => state === 'running')
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
      const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)![1]!
      for (const id of ['Uid', 'Gid']) assert.equal(field(id), new Array(4).fill(uid).join('\t'), status)
      for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb']) assert.equal(BigInt(`0x${field(set)}`), 0n)
      assert.deepEqual([field('Groups'), field('NoNewPrivs'), field('Seccomp')], ['', '1', '2'], status)
    }
    assert.deepEqual(readdirSync(`/proc/${pid}/root`), [])
    for (const space of ['mnt', 'net', 'pid', 'ipc', 'uts']) {
      assert.notEqual(readlinkSync(`/proc/${pid}/ns/${space}`), readlinkSync(`/proc/self/ns/${space}`))
    }
    // A folder that is still open would be a way out of the empty root.
    for (const file of descriptors(pid)) {
      if (file.startsWith(folder)) assert.ok(statSync(file).isFile(), file)
      else
        assert.match(
          file,
          /^(\/dev\/(null|kvm)|\/(null|kvm)|\/memfd:guest-ram.*|anon_inode:.*|(pipe|socket):.*)$/,
        )
    }
    vm.client.request('quit').catch(() => undefined)
    assert.deepEqual(await vm.exit, { code: 0, signal: null })
  })

  test('starts again after a reset, its disk served by the same ring, its folder by the same thread', async () => {
    // Once only: the register keeps its value over a reset of nothing else.
    const share = ['--share', `path=${folder},tag=files`]
    const vm = await start('reset', [print('up'), outl(0xcf8, 0)], share)
    const { pid } = await vm.until(({ state }) => state === 'running')
    const rings = () => descriptors(pid).filter((file) => file.includes('io_uring')).length
    const before = rings()
    for (let round = 1; round <= 3; round++) {
      await vm.client.request('reset')
      await vm.until(({ state, resets }) => state === 'running' && resets === round)
      assert.equal(rings(), before)
    }
    // A reset may have come between its two letters.
    assert.match(readFileSync(vm.log, 'latin1'), /^(up?){1,4}$/)
    vm.client.request('quit').catch(() => undefined)
    assert.equal((await vm.exit).code, 0)
  })

  test('ends with its launcher, and its launcher with it', async () => {
    for (const victim of ['launcher', 'monitor']) {
      const vm = await start(victim, [print('up'), outb(0x80, 0)])
      const { pid } = await vm.until(({ state }) => state === 'running')
      process.kill(victim === 'launcher' ? vm.child.pid! : pid, 'SIGKILL')
      // The launcher that saw its child killed ends with a code, because it cannot kill itself in the same way.
      assert.notEqual((await vm.exit).code, 0, victim)
      while (statSync(`/proc/${pid}`, { throwIfNoEntry: false })) {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
  })
})
