'use client'
import { Circle, Clapperboard, Square } from 'lucide-react'
import Link from 'next/link'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { MenuItem, MenuLinkItem, MenuSeparator } from '../../ui/menu.tsx'
import type { Recording } from './use-recording.ts'

/** In a console's menu, for administrators: record it, and what was recorded. */
export function RecordingItems({
  recording,
  vmId,
  whyNot,
}: {
  recording: Recording
  vmId: number
  /** Why it cannot begin now. */
  whyNot: string | null
}) {
  if (!recording.may) return null
  const t = m.recordings
  return (
    <>
      <MenuSeparator />
      <MenuItem
        icon={recording.on ? <Square className="text-bad" /> : <Circle />}
        whyDisabled={recording.on ? null : whyNot}
        onSelect={recording.toggle}
      >
        {recording.on ? t.stop : t.record}
        {recording.on ? null : <span className="block text-ink-3 text-xs leading-4.5">{t.recordHint}</span>}
      </MenuItem>
      <MenuLinkItem icon={<Clapperboard />} render={<Link href={paths.recordings(vmId)} />}>
        {t.title}
      </MenuLinkItem>
    </>
  )
}
