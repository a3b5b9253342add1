import { nameSchema } from '@hearth/shared/names'
import { m } from '../../messages/all.ts'
import { said } from '../../messages/said.ts'

/** Why a VM cannot be called so; `taken`: another one is. */
export function vmNameProblem(name: string, taken: boolean): string | null {
  const parsed = nameSchema.safeParse(name)
  if (!parsed.success) return said(parsed.error.issues[0]?.message ?? '')
  return taken ? m.create.nameTaken : null
}
