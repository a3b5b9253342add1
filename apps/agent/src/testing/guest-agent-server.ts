/** The guest's end of its agent's port: answers each line it is asked as `answer` says, and keeps what it was asked. */
import { createServer } from 'node:net'

export interface Asked {
  execute: string
  arguments?: { id?: number; mode?: string }
}

/** `answer` is what it says to a command; undefined: nothing. Synchronisation it answers itself. */
export async function listenAsGuest(
  path: string,
  answer: (asked: Asked) => string | undefined,
  greeting = '',
): Promise<{ asked: Asked[]; stop: () => void }> {
  const asked: Asked[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write(greeting)
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = JSON.parse(text.slice(0, end).replaceAll('\xff', '')) as Asked
        text = text.slice(end + 1)
        asked.push(line)
        const said =
          line.execute === 'guest-sync-delimited' ? `\xff{"return": ${line.arguments?.id}}` : answer(line)
        if (said !== undefined) socket.write(Buffer.from(`${said}\n`, 'latin1'))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return { asked, stop: () => server.close() }
}
