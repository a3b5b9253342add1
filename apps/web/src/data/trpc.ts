import { createTRPCContext } from '@trpc/tanstack-react-query'
// A type only: pages reach data through the socket and never pull in the server's modules.
import type { AppRouter } from '../../server/trpc/router.ts'

export const { TRPCProvider, useTRPC, useTRPCClient } = createTRPCContext<AppRouter>()
export type { AppRouter }
