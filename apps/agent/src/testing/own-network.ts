/**
 * Tests that start the real agent do so in a network namespace of their own: as root the agent makes bridges,
 * firewall tables and name servers, and none of that may touch the machine the tests run on.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const marker = 'HEARTH_TEST_OWN_NETWORK'

/**
 * Runs `define` when already inside; else runs this same test file again inside and reports its result as one
 * test. `moduleUrl` is the test file's import.meta.url.
 */
export function inOwnNetwork(moduleUrl: string, define: () => void): void {
  if (process.env[marker] === '1') {
    define()
    return
  }
  test('in a network namespace of its own', { timeout: 600_000 }, async (t) => {
    const isRoot = process.getuid?.() === 0
    const file = fileURLToPath(moduleUrl)
    // /sys shows the interfaces of the namespace it was mounted in.
    const script =
      'mount -t sysfs sysfs /sys && ip link set lo up && exec "$0" --test --test-force-exit --test-reporter=tap "$1"'
    // A process namespace too: whatever a failed test leaves running ends with it.
    const namespaces = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child']
    const environment: NodeJS.ProcessEnv = { ...process.env, [marker]: '1' }
    // Node's runner would take the inner run for a part of the outer one and skip it.
    delete environment.NODE_TEST_CONTEXT
    environment.PATH = `${environment.PATH}:/usr/sbin:/sbin`
    const child = spawn(
      'unshare',
      [
        ...namespaces,
        ...(isRoot ? [] : ['--user', '--map-root-user']),
        'sh',
        '-c',
        script,
        process.execPath,
        file,
      ],
      { env: environment, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let output = ''
    const collect = (chunk: string) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    for (const [, name] of output.matchAll(/^\s*ok \d+ - (.+)$/gm)) t.diagnostic(`✔ ${name}`)
    assert.equal(code, 0, output)
    assert.match(output, /^# pass [1-9]/m, 'no test ran inside')
  })
}
