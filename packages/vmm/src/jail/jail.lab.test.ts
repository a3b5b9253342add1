/** Debian's own kernel: the jail holds there, with every part of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedLab } from '../../../../infra/lab/shared.ts'
import { launcherCommand, launcherEnvironment } from './launcher.ts'

const LAB_MS = 300_000
const here = (name: string): string => new URL(name, import.meta.url).pathname

describe("whoever takes a monitor over, on Debian's kernel", () => {
  test('in the jail the agent makes gets nothing it tries', async () => {
    const lab = await sharedLab()
    const disk = '/tmp/jail-lab-disk'
    const environment = Object.entries(launcherEnvironment).map((pair) => pair.join('='))
    const command = [
      ...['env', ...environment, ...launcherCommand(false), process.execPath, here('testing/probe.ts')],
      'namespaces,uid=1879052903,cgroup=/sys/fs/cgroup/jail-lab-test',
    ]
    const script = `
      truncate -s 4096 ${disk}; mkdir /sys/fs/cgroup/jail-lab-test; sleep 300 & ${command.join(' ')} $! ${disk}
      code=$?; kill $!; rmdir /sys/fs/cgroup/jail-lab-test; exit $code`
    const { code, stdout, stderr } = await lab.run('sh', ['-c', script], { timeoutMs: LAB_MS })
    assert.equal(code, 0, stderr)
    const { main, worker, ring } = JSON.parse(stdout) as Record<string, Record<string, number>>
    for (const results of [main!, worker!]) {
      assert.ok(Object.keys(results).length > 60)
      for (const [attempt, errno] of Object.entries(results)) assert.equal(errno, 1, attempt)
    }
    for (const [attempt, errno] of Object.entries(ring!)) assert.equal(errno, 13, attempt)
  })

  test('an empty root, another user and Landlock hold by themselves', async () => {
    const lab = await sharedLab()
    const found = async (parts: string, launcher: string[]): Promise<unknown> => {
      const [command, ...args] = [...launcher, process.execPath, here('testing/layers.ts'), parts]
      const { code, stdout, stderr } = await lab.run(command!, args, { timeoutMs: LAB_MS })
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout)
    }
    assert.deepEqual(await found('root', launcherCommand(false)), { open: 'ENOENT', make: 'EROFS', list: 0 })
    assert.deepEqual(await found('landlock', []), { open: 'EACCES', make: 'EACCES', list: 'EACCES' })
  })
})
