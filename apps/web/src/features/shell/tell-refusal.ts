import { errorMessage } from '../../data/errors.ts'
import { m } from '../../messages/index.ts'
import { toast } from '../../ui/toast.tsx'

/** Says why something that was asked for was refused, where there is no field or dialog to say it beside. */
export function tellRefusal(error: unknown): void {
  toast.error(m.common.failed, errorMessage(error, m.entry.signIn.unreachable))
}
