import { TRPCClientError } from '@trpc/client'

interface WireData {
  hearth?: { code?: unknown; message?: unknown }
  fields?: { path: string; message: string }[]
}

function wireData(error: unknown): WireData | undefined {
  return error instanceof TRPCClientError ? ((error.data ?? undefined) as WireData | undefined) : undefined
}

/** The portal's own error code; undefined when the portal did not answer at all. */
export function errorCode(error: unknown): string | undefined {
  const code = wireData(error)?.hearth?.code
  return typeof code === 'string' ? code : undefined
}

/** What to tell the person. */
export function errorMessage(error: unknown, unreachable: string): string {
  const message = wireData(error)?.hearth?.message
  return typeof message === 'string' ? message : unreachable
}

/** Messages for single fields of a form, by path. */
export function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries((wireData(error)?.fields ?? []).map(({ path, message }) => [path, message]))
}
