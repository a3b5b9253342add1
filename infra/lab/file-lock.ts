/**
 * A lock that the kernel gives back when its holder dies, however it dies: flock(1) holds it in a small process
 * that reads our end of a pipe and ends with us.
 */
import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

export interface FileLock extends AsyncDisposable {
  release(): Promise<void>
}

/** Takes the lock, waiting for whoever has it; `onWait` is called once when it has to. */
export async function lockFile(file: string, onWait?: () => void): Promise<FileLock> {
  const taken = await tryLockFile(file)
  if (taken) return taken
  onWait?.()
  return (await acquire(file, [])) as FileLock
}

/** Takes the lock, or returns undefined at once when somebody has it. */
export function tryLockFile(file: string): Promise<FileLock | undefined> {
  return acquire(file, ['--nonblock'])
}

/** Who holds the lock, as far as its file tells: "process 1234". */
export async function lockHolder(file: string): Promise<string> {
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10)
  return pid > 0 ? `process ${pid}` : 'another process'
}

async function acquire(file: string, flags: string[]): Promise<FileLock | undefined> {
  await mkdir(path.dirname(file), { recursive: true })
  // `echo` tells that the lock is held; `cat` keeps it until our end of the pipe closes. A session of its own
  // keeps a terminal's Ctrl-C from releasing it while we are still tidying up.
  const holder = spawn('flock', [...flags, '--exclusive', file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  })
  const ended = new Promise<void>((resolve, reject) => {
    holder.once('error', (error) => reject(new Error(`flock did not start: ${error.message}`)))
    holder.once('exit', () => resolve())
  })
  holder.stdin.on('error', () => {})
  const held = new Promise<boolean>((resolve) => {
    holder.stdout.once('data', () => resolve(true))
    holder.stdout.once('end', () => resolve(false))
  })
  const got = await Promise.race([held, ended.then(() => false)])
  if (!got) return undefined
  await writeFile(file, `${process.pid}\n`)
  // Neither the process nor its pipes keep ours alive: when we end, the pipe closes and the lock is free.
  holder.unref()
  for (const pipe of [holder.stdin, holder.stdout]) (pipe as unknown as { unref?(): void }).unref?.()
  const release = async (): Promise<void> => {
    holder.ref()
    holder.stdin.end()
    await ended
  }
  return { release, [Symbol.asyncDispose]: release }
}
