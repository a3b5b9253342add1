/**
 * Talks to `qemu-guest-agent` in a guest through its port (docs/interop/qemu-ga-ref of QEMU): one JSON object a line, each
 * call on a connection of its own, because the port takes one program at a time. What comes back is a guest's word.
 */
import { randomInt } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'

export const guestAgentPort = 'org.qemu.guest_agent.0'

/** Long enough for a busy guest; one without an agent never answers. */
const timeoutMs = 3000
/** A busy guest has much to write out. */
const freezeTimeoutMs = 20_000
const thawAttempts = 30
const thawPauseMs = 1000
const maxAnswerBytes = 1024 * 1024
/** `guest-sync-delimited` puts this byte before its answer: what comes before it is from another conversation. */
const delimiter = 0xff

const answerSchema = z.union([
  z.object({ return: z.unknown() }),
  z.object({ error: z.object({ desc: z.string().max(1000) }) }),
])
const interfacesSchema = z
  .array(
    z.object({
      'hardware-address': z.string().max(100).optional(),
      'ip-addresses': z.array(z.object({ 'ip-address': z.string().max(100) })).optional(),
    }),
  )
  .max(1000)

export class GuestAgent {
  readonly #socket: string
  /** The last call: the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(socket: string) {
    this.#socket = socket
  }

  /** Addresses of the card with this MAC that others can use: neither loopback nor link-local. */
  async addresses(mac: string): Promise<string[]> {
    const interfaces = interfacesSchema.parse(await this.#call('guest-network-get-interfaces'))
    return interfaces
      .filter((card) => card['hardware-address']?.toLowerCase() === mac.toLowerCase())
      .flatMap((card) => card['ip-addresses'] ?? [])
      .map((entry) => entry['ip-address'].toLowerCase())
      .filter((address) => usable.test(address) && !local.test(address))
      .slice(0, 16)
  }

  /** Asks the guest's system to shut down. It gives no answer when it does; rejects when no agent is there. */
  async shutdown(): Promise<void> {
    await this.#call('guest-shutdown', { mode: 'powerdown' }, false)
  }

  /**
   * Has the guest write its file systems out and hold them still. Whoever asks this calls `thaw` afterwards, whatever came
   * of it: an answer may be lost, and a guest left frozen hangs.
   */
  async freeze(): Promise<void> {
    const count = z.int().parse(await this.#call('guest-fsfreeze-freeze', undefined, true, freezeTimeoutMs))
    if (count === 0) throw new Error('the guest agent found no file system to hold still')
  }

  /** Asked again until it is answered, or the guest is gone: one that is slow to freeze must not stay frozen. */
  async thaw(isThere: () => boolean = () => true): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#call('guest-fsfreeze-thaw')
        return
      } catch (error) {
        if (attempt === thawAttempts || !isThere()) throw error
      }
      await delay(thawPauseMs)
    }
  }

  #call(command: string, args?: object, answers = true, limitMs = timeoutMs): Promise<unknown> {
    const call = this.#last.then(() => converse(this.#socket, command, args, answers, limitMs))
    this.#last = call.catch(() => undefined)
    return call
  }
}

const usable = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]{2,39})$/
const local = /^(127\.|169\.254\.|fe80:|::1$)/

async function converse(
  path: string,
  command: string,
  args: object | undefined,
  answers: boolean,
  limitMs: number,
): Promise<unknown> {
  const socket = connect(path)
  const deadline = setTimeout(() => socket.destroy(new Error('the guest agent does not answer')), limitMs)
  try {
    const lines = readLines(socket)
    const id = randomInt(2 ** 31)
    // The byte makes the agent forget half a line that a conversation before this may have left.
    socket.write(Buffer.concat([Buffer.of(delimiter), request('guest-sync-delimited', { id })]))
    for (;;) {
      const line = await nextLine(lines)
      const at = line.lastIndexOf(delimiter)
      if (at >= 0 && answerOf(line.subarray(at + 1)) === id) break
    }
    socket.write(request(command, args))
    return answers ? answerOf(await nextLine(lines)) : undefined
  } finally {
    clearTimeout(deadline)
    // Not before what was written has left: the last request has no answer to wait for.
    socket.end(() => socket.destroy())
  }
}

const request = (execute: string, args?: object): Buffer =>
  Buffer.from(`${JSON.stringify(args === undefined ? { execute } : { execute, arguments: args })}\n`)

function answerOf(line: Buffer): unknown {
  const answer = answerSchema.parse(JSON.parse(line.toString('utf8')))
  if ('error' in answer) throw new Error(`the guest agent refuses: ${answer.error.desc}`)
  return answer.return
}

async function nextLine(lines: AsyncGenerator<Buffer, void, void>): Promise<Buffer> {
  const { value } = await lines.next()
  if (!value) throw new Error('the guest agent hung up')
  return value
}

async function* readLines(socket: Socket): AsyncGenerator<Buffer, void, void> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk as Buffer])
    if (rest.length > maxAnswerBytes) throw new Error('the guest agent says too much')
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.subarray(0, end)
      rest = rest.subarray(end + 1)
    }
  }
}
