/** The lab host itself: mostly on the lab all tests share, on labs of their own where one has to end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { before, test } from 'node:test'
import { MIB } from '@hearth/shared/units'
import { repository } from '../lib/paths.ts'
import { type Lab, startLab } from './lab.ts'
import { sharedLab, sharedScratch } from './shared.ts'

let lab: Lab
let folder: string

before(async () => {
  lab = await sharedLab()
  folder = path.join(sharedScratch(), 'lab-test,with-a-comma')
  await mkdir(folder)
})

test('exit codes, signals and separate streams come back as they are', async () => {
  const result = await lab.run('sh', ['-c', 'echo out; echo err >&2; exit 7'])
  assert.deepEqual(result, { code: 7, signal: null, stdout: 'out\n', stderr: 'err\n' })
  assert.equal((await lab.run('sh', ['-c', 'kill -9 $$'])).signal, 'SIGKILL')
  assert.equal((await lab.run('no-such-program')).code, 127)
})

test('arguments, environment, folder and input arrive unchanged', async () => {
  const awkward = ['a b', "it's", '"$HOME"', '', '*', 'line\nbreak', 'ü']
  const printed = await lab.run('sh', ['-c', 'for a; do printf "<%s>" "$a"; done', 'sh', ...awkward])
  assert.equal(printed.stdout, awkward.map((word) => `<${word}>`).join(''))
  const env = await lab.run('sh', ['-c', 'echo "$GREETING"; pwd'], {
    cwd: '/usr',
    env: { GREETING: "it's me &;" },
  })
  assert.equal(env.stdout, "it's me &;\n/usr\n")
  const input = Buffer.alloc(3_000_001, 'x')
  assert.equal((await lab.run('wc', ['-c'], { stdin: input })).stdout.trim(), String(input.length))
  const output = await lab.run('head', ['-c', '3000001', '/dev/zero'])
  assert.equal(output.stdout.length, 3_000_001)
})

test('several commands run at once', async () => {
  // Each waits for the file the next one makes, so they end only if all of them run.
  const ids = [0, 1, 2, 3]
  const meet = (id: number) =>
    `touch /tmp/meet-${id}; until [ -e /tmp/meet-${(id + 1) % ids.length} ]; do sleep 0.05; done; echo ${id}`
  const results = await Promise.all(ids.map((id) => lab.run('sh', ['-c', meet(id)], { timeoutMs: 60_000 })))
  assert.deepEqual(
    results.map((result) => result.stdout.trim()),
    ids.map(String),
  )
})

test('a signal reaches every process of a command, and one that ignores it is killed in the end', async () => {
  const polite = lab.spawn('sh', ['-c', 'sleep 1000 & trap "exit 42" INT; echo up; wait'])
  await firstOutput(polite)
  polite.kill('SIGINT')
  assert.equal((await polite.exit).code, 42)
  const stubborn = lab.spawn('sh', ['-c', 'trap "" TERM; echo up; while :; do sleep 1; done'])
  await firstOutput(stubborn)
  await stubborn.stop(200)
  assert.equal((await stubborn.exit).signal, 'SIGKILL')
  await assert.rejects(
    lab.run('sleep', ['1000'], { timeoutMs: 500 }),
    /still running in the lab after 500 ms/,
  )
})

test('KVM runs inside, with the API version every program expects', async () => {
  const script = `
    const koffi = require('koffi'); const libc = koffi.load(null)
    const fd = libc.func('int open(const char *p, int f, int m)')('/dev/kvm', 2, 0)
    const ioctl = libc.func('int ioctl(int fd, unsigned long r, intptr_t a)')
    console.log(ioctl(fd, 0xae00, 0), ioctl(fd, 0xae01, 0) > 0)`
  const result = await lab.run('node', ['-e', script])
  assert.equal(result.stdout, '12 true\n', result.stderr)
  assert.match((await lab.run('cat', ['/sys/module/kvm_amd/parameters/npt'])).stdout, /1|Y/)
})

test('what the machine has is there: clock, names, disks and network parts', async () => {
  const now = await lab.run('date', ['+%s'])
  assert.ok(Math.abs(Number(now.stdout) - Date.now() / 1000) < 30)
  assert.equal((await lab.run('hostname')).stdout, 'hearth-lab\n')
  const rules = `
    set -e
    ip tuntap add tap0 mode tap && ip link add br0 type bridge && ip link set tap0 master br0
    nft add table ip t
    nft add chain ip t post '{ type nat hook postrouting priority 100; }'
    nft add rule ip t post oifname eth0 masquerade
    nft add rule ip t post ct state established accept
    echo done`
  const network = await lab.run('sh', ['-c', rules])
  assert.equal(network.stdout, 'done\n', network.stderr)
})

test('a shared folder is seen as it is now; the rest of the machine is there too, and nothing is written back', async () => {
  for (const content of ['first', 'second, longer']) {
    await writeFile(path.join(folder, 'file'), content)
    assert.equal((await lab.run('cat', [path.join(folder, 'file')])).stdout, content)
  }
  assert.equal((await lab.run('sh', ['-c', 'echo back > "$1"', 'sh', path.join(folder, 'reply')])).code, 0)
  assert.equal(await readFile(path.join(folder, 'reply'), 'utf8'), 'back\n')
  assert.notEqual((await lab.run('touch', [path.join(repository, 'new')])).code, 0)
  const home = `/var/lib/hearth-lab-test-${process.pid}`
  assert.equal((await lab.run('mkdir', [home])).code, 0)
  await assert.rejects(stat(home), { code: 'ENOENT' })
  const inside = await lab.run('ls', ['/usr/share'])
  assert.deepEqual(inside.stdout.trim().split('\n').sort(), (await readdir('/usr/share')).sort())
  assert.equal((await lab.run('test', ['-d', path.join(repository, 'node_modules/koffi')])).code, 0)
})

test('ports: one of the lab is reached from outside, and the machine outside from within', async (t) => {
  const server = lab.spawn('node', [
    '-e',
    "require('http').createServer((q, r) => r.end('inside')).listen(8080, () => console.log('up'))",
  ])
  await firstOutput(server)
  const port = await unusedPort()
  await lab.forward(port, 8080)
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'inside')
  await assert.rejects(lab.forward(port, 8081), /cannot be forwarded/)
  await server.stop()

  const outside = createServer((_request, response) => response.end('outside')).listen(0, '127.0.0.1')
  t.after(() => outside.close())
  await once(outside, 'listening')
  const { port: outsidePort } = outside.address() as AddressInfo
  const fetched = await lab.run('curl', ['-s', `http://10.0.2.2:${outsidePort}/`])
  assert.equal(fetched.stdout, 'outside')
})

test('a data disk keeps its files, shares blocks, belongs to one lab at a time and can grow', async () => {
  const disk = { path: '/srv/data', file: path.join(folder, 'data.img'), bytes: 400 * MIB }
  const first = await startLab({ dataDisk: disk, memoryBytes: 512 * MIB })
  await assert.rejects(startLab({ dataDisk: disk }), /in use by another lab \(process \d+\)/)
  const write =
    'cd /srv/data && head -c 1000000 /dev/urandom > a && cp --reflink=always a b && cmp a b && sha256sum < a'
  const written = await first.run('sh', ['-c', write])
  assert.equal(written.code, 0, written.stderr)
  await first.stop()
  const second = await startLab({ dataDisk: { ...disk, bytes: 600 * MIB }, memoryBytes: 512 * MIB })
  const read = await second.run('sh', [
    '-c',
    'sha256sum < /srv/data/b; df -m --output=size /srv/data | tail -1',
  ])
  const [hash, size] = read.stdout.trim().split('\n')
  assert.equal(hash, written.stdout.trim())
  assert.ok(Number(size) > 450, `the file system has ${size} MiB`)
  await second.stop()
})

test('a lab whose QEMU dies rejects what is under way, with the end of its console', async () => {
  const doomed = await startLab({ memoryBytes: 512 * MIB })
  const waiting = doomed.run('sleep', ['1000'])
  const crash = doomed.run('sh', [
    '-c',
    'sleep 1; echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger',
  ])
  for (const command of [waiting, crash])
    await assert.rejects(command, { name: 'LabError', message: /The lab ended[\s\S]*sysrq triggered crash/ })
  await assert.rejects(doomed.run('true'), /The lab ended/)
  await doomed.ended
  await doomed.stop()
})

function firstOutput(command: ReturnType<Lab['spawn']>): Promise<void> {
  return new Promise((resolve, reject) => {
    command.started.then((streams) => streams.stdout.once('data', () => resolve()), reject)
    command.exit.then((exit) => reject(new Error(`it ended with code ${exit.code}`)), reject)
  })
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
