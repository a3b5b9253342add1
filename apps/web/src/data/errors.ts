import type { Shortfall } from '@hearth/shared/quota'
import { TRPCClientError } from '@trpc/client'

export interface QuotaRefusal {
  projectId: number
  projectName: string
  shortfalls: Shortfall[]
}

interface WireData {
  quota?: QuotaRefusal
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

/** What of the project's quota was missing, when that is why it was refused. */
export function quotaRefusal(error: unknown): QuotaRefusal | undefined {
  return wireData(error)?.quota
}

/** Messages for single fields of a form, by path. */
export function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries((wireData(error)?.fields ?? []).map(({ path, message }) => [path, message]))
}
