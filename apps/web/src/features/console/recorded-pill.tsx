'use client'
import { m } from '../../messages/all.ts'

/** Over a console for as long as an administrator has it recorded; it cannot be hidden. */
export function RecordedPill({ recorded }: { recorded: boolean }) {
  return (
    <div role="status" className="pointer-events-none absolute top-3 right-3 z-10 flex">
      {recorded ? (
        <span className="flex items-center gap-2 rounded-full bg-black/70 px-3 py-1.5 font-medium text-white text-xs shadow-float">
          <span aria-hidden="true" className="size-2 animate-ember rounded-full bg-[#ff5a47]" />
          {m.recordings.notice}
        </span>
      ) : null}
    </div>
  )
}
