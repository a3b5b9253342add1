/**
 * Debian's own spice-vdagent, daemon and session program, on an X server in memory: what is copied there comes to us, and
 * what we offer is pasted there. In place of the port there is a unix socket, which the daemon takes as well.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startX } from '../rfb/testing/x-server.ts'
import { VdAgent } from './vdagent.ts'

const patienceMs = 60_000

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited in vain for ${what}`)
    await sleep(20)
  }
}

function start(t: TestContext, command: string, args: string[], env: NodeJS.ProcessEnv): void {
  const child = spawn(command, args, { stdio: 'ignore', env })
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
}

test('the clipboard of a real spice-vdagent, both ways', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hearth-vdagent-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const env = {
    ...process.env,
    DISPLAY: await startX(t, folder, '320x200x24'),
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
  }
  const news: string[] = []
  let guest: Socket | undefined
  const agent = new VdAgent({
    send: (bytes) => guest?.write(bytes) !== undefined,
    copied: (text) => news.push(`copied ${text}`),
    available: (on) => news.push(on ? 'there' : 'gone'),
    fault: (text) => news.push(text),
  })
  const port = path.join(folder, 'port')
  const server = createServer((socket) => {
    guest = socket
    agent.opened(true)
    socket.on('data', (chunk: Buffer) => agent.receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => agent.opened(false))
  })
  server.listen(port)
  t.after(() => {
    guest?.destroy()
    server.close()
  })
  await once(server, 'listening')
  const session = path.join(folder, 'session')
  // It may type, too, which nobody asks of it here: a file takes that.
  const keys = path.join(folder, 'uinput')
  await writeFile(keys, '')
  start(t, '/usr/sbin/spice-vdagentd', ['-f', '-u', keys, '-x', '-X', '-s', port, '-S', session], env)
  await until('the daemon', () =>
    access(session).then(
      () => true,
      () => false,
    ),
  )
  start(t, 'spice-vdagent', ['-x', '-s', port, '-S', session], env)
  await until('the agent', () => news.includes('there'))

  const copy = spawn('xclip', ['-selection', 'clipboard', '-in', '-quiet'], {
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  t.after(() => copy.kill('SIGKILL'))
  copy.stdin.end('Grüße aus X\nzwei')
  await until('what was copied there', () => news.includes('copied Grüße aus X\nzwei'))

  // From here: again and again, since X programs learn of a new owner in their own time.
  const large = `日本 ${'x'.repeat(300_000)}`
  agent.offer(large)
  let pasted = ''
  await until('what was offered', async () => {
    const paste = spawn('xclip', ['-selection', 'clipboard', '-out'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    pasted = ''
    paste.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      pasted += chunk
    })
    await once(paste, 'close')
    return pasted === large
  })
  assert.deepEqual(
    news.filter((line) => !line.startsWith('copied')),
    ['there'],
  )
})
