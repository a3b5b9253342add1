import Link from 'next/link'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { buttonClass } from '../../ui/button-class.ts'
import { EmptyState } from '../../ui/layout.tsx'
import { EmptyHearth } from './empty-hearth.tsx'

/** What one sees before there is a VM: what that is, and the way to the first one. */
export function FirstVm() {
  return (
    <section className="card hearth-glow overflow-hidden">
      <EmptyState
        art={<EmptyHearth />}
        title={m.vms.empty.title}
        action={
          <Link href={paths.vmNew()} className={buttonClass('primary', 'lg')}>
            {m.vms.empty.action}
          </Link>
        }
      >
        {m.vms.empty.text}
      </EmptyState>
    </section>
  )
}
