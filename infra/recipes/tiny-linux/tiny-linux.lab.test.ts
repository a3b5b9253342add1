/** The tiny Linux image as people meet it: built, started by hearth-vmm in the lab, used at its console, switched off. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { before, test } from 'node:test'
import type { ImageManifest } from '@hearth/shared/image'
import { GUEST_CMDLINE } from '../../../packages/vmm/src/testing/lab-guest.ts'
import { buildPrograms, vmmEntry } from '../../build/programs.ts'
import type { Lab } from '../../lab/lab.ts'
import type { LabProcess } from '../../lab/lab-process.ts'
import { sharedLab, sharedScratch } from '../../lab/shared.ts'
import { cacheDirectory } from '../../lib/paths.ts'
import { ensureImage } from '../build.ts'
import { readManifest } from '../store.ts'

const LIMIT_MS = 240_000

let lab: Lab
let images: string
let manifest: ImageManifest

before(async () => {
  await buildPrograms()
  lab = await sharedLab()
  images = path.join(sharedScratch(), 'images')
  assert.equal(await ensureImage('tiny-linux', { images, cacheDir: cacheDirectory }), true)
  assert.equal(await ensureImage('tiny-linux', { images, cacheDir: cacheDirectory }), false)
  const found = await readManifest(images, 'tiny-linux')
  assert.ok(found)
  manifest = found
})

/** Starts the image with its smallest memory, followed through what its console prints. */
function startGuest(cmdline: string, args: readonly string[] = []) {
  const file = (name: string): string => path.join(images, 'tiny-linux', name)
  let output = ''
  let seen = 0
  let wake = (): void => {}
  const guest: LabProcess = lab.spawn(
    'node',
    [
      ...[vmmEntry, 'run', '--kernel', file(manifest.kernel!), '--initrd', file(manifest.initrd!)],
      ...[
        '--cmdline',
        `${manifest.cmdline} ${cmdline}`,
        '--memory',
        String(manifest.minMemoryBytes),
        ...args,
      ],
    ],
    {
      stdin: true,
      onStdout(chunk) {
        output += chunk.toString('latin1')
        wake()
      },
      onStderr: (chunk) => {
        output += chunk.toString()
      },
    },
  )
  const until = async (pattern: RegExp): Promise<string> => {
    const deadline = AbortSignal.timeout(LIMIT_MS)
    for (;;) {
      const match = pattern.exec(output.slice(seen))
      if (match) {
        seen += match.index + match[0].length
        return match[0]
      }
      const more = Promise.withResolvers<void>()
      wake = more.resolve
      deadline.addEventListener('abort', () =>
        more.reject(new Error(`${pattern} did not come. The console:\n${output}`)),
      )
      void guest.ended.then(() => more.reject(new Error(`the guest ended. The console:\n${output}`)))
      await more.promise
    }
  }
  const type = async (text: string): Promise<void> => {
    const { stdin } = await guest.started
    stdin!.write(text)
  }
  return { guest, until, type }
}

test('it greets with its name, gives a shell with job control, and powers off with exit code 0', async () => {
  const { guest, until, type } = startGuest(`${GUEST_CMDLINE} hearth.name=bob`, ['--cpus', '2'])
  await until(/Tiny Linux 6\.\S+ on 2 vCPUs/)
  await until(/bob:\S+# /)
  // The process that says so has its own process group and signals: one that a shell is just making may miss a Ctrl-C.
  await type(`sh -c 'echo go; exec sleep 1000'\n`)
  await until(/\r\ngo\r\n/)
  await type('\u0003')
  await until(/bob:\S+# /)
  await type('echo "left: $(pidof sleep)."; hostname\n')
  await until(/left: \.\r\nbob\r\n/)
  await type('poweroff\n')
  assert.equal((await guest.exit).code, 0)
})

test('the power button ends it cleanly, and reboot resets it', async () => {
  const socket = '/tmp/tiny-linux-control'
  const { guest, until } = startGuest('quiet', ['--control', `unix:${socket}`, '--no-reboot'])
  await until(/tiny:\S+# /)
  const press = `
    const socket = require('node:net').connect(${JSON.stringify(socket)})
    socket.write('{"id":1,"method":"powerdown"}\\n')
    socket.once('data', () => socket.destroy())`
  assert.equal((await lab.run('node', ['-e', press], { timeoutMs: LIMIT_MS })).code, 0)
  await until(/The power button was pressed/)
  assert.equal((await guest.exit).code, 0)

  const again = startGuest('quiet', ['--no-reboot'])
  await again.until(/tiny:\S+# /)
  await again.type('reboot\n')
  assert.equal((await again.guest.exit).code, 10)
})
