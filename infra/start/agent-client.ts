/** The few questions `npm start` asks the agent itself, over the agent's own control protocol. */
import type { AgentRouter } from '@hearth/agent/router'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import superjson from 'superjson'
import WebSocket from 'ws'

export class AgentClient {
  private readonly socket: ReturnType<typeof createWSClient>
  private readonly client: ReturnType<typeof createTRPCClient<AgentRouter>>

  constructor(url: string, token: string) {
    class AuthorizedWebSocket extends WebSocket {
      constructor(address: string | URL) {
        super(address, { headers: { authorization: `Bearer ${token}` } })
      }
    }
    this.socket = createWSClient({
      url: `${url}/trpc`,
      WebSocket: AuthorizedWebSocket as unknown as typeof globalThis.WebSocket,
    })
    this.client = createTRPCClient<AgentRouter>({
      links: [wsLink<AgentRouter>({ client: this.socket, transformer: superjson })],
    })
  }

  async runningGuests(): Promise<number> {
    const idle = ['stopped', 'crashed', 'creating']
    return (await this.client.vm.list.query()).filter((vm) => !idle.includes(vm.state)).length
  }

  shutdownGuests(timeoutMs: number): Promise<{ stopped: number; forced: number }> {
    return this.client.host.shutdownGuests.mutate({ timeoutMs })
  }

  close(): void {
    this.socket.close()
  }
}
