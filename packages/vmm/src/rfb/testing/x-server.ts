import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/**
 * An X server in memory until the test is over; its screen is the file `Xvfb_screen0` in `folder`. Returns the DISPLAY:
 * the server writes the number it chose to the descriptor it was told.
 */
export async function startX(t: TestContext, folder: string, screen: string): Promise<string> {
  const child = spawn(
    'Xvfb',
    [...['-displayfd', '3', '-fbdir', folder, '-nolisten', 'tcp'], ...['-screen', '0', screen]],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
  )
  t.after(async () => {
    child.kill()
    if (child.exitCode === null) await once(child, 'exit')
  })
  const [number] = (await once(child.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer]
  return `:${number.toString().trim()}`
}
