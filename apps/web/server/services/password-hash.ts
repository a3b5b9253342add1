/** crypt(3) SHA-512 for cloud-init, by openssl: it is on every Debian, and the password goes by standard input. */
import { spawn } from 'node:child_process'
import { HearthError } from '@hearth/shared/errors'

export async function cryptSha512(password: string): Promise<string> {
  const child = spawn('openssl', ['passwd', '-6', '-stdin'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let hash = ''
  child.stdout.setEncoding('ascii')
  child.stdout.on('data', (text: string) => {
    hash += text
  })
  child.once('error', reject)
  child.stdin.on('error', reject)
  child.once('close', () => resolve(hash.trim()))
  child.stdin.end(`${password}\n`)
  const result = await promise.catch((cause: unknown) => {
    throw new HearthError(
      'internal',
      'The password could not be prepared: openssl is missing on this machine.',
      {
        cause,
      },
    )
  })
  if (!/^\$6\$[^$]+\$[./0-9A-Za-z]{86}$/.test(result))
    throw new HearthError('internal', 'The password could not be prepared.', {
      log: 'openssl passwd -6 failed',
    })
  return result
}
