import type { IncomingMessage, ServerResponse } from 'node:http'
import { respondJson } from '../http/respond.ts'
import type { ServiceContext } from '../services/context.ts'
import type { PortalServices } from '../services/types.ts'

export function createRestApi(_options: { context: ServiceContext; services: PortalServices }) {
  return async (_request: IncomingMessage, response: ServerResponse, _origin: string): Promise<void> => {
    respondJson(response, 404, { error: { code: 'not_found', message: 'There is nothing here.' } })
  }
}
