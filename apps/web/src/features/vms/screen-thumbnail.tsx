'use client'
import { useEffect, useState } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/index.ts'
import { cx } from '../../ui/cx.ts'

const everyMs = 5_000

/**
 * What a running VM's screen shows, looked at every few seconds while the page is seen. Nothing while there is no
 * picture, so that whoever places it can show something else.
 */
export function useScreenPicture(vm: VmView, width: number): string | null {
  const [url, setUrl] = useState<string | null>(null)
  const shown = vm.hasScreen && vm.host.online
  const { id } = vm
  useEffect(() => {
    if (!shown) return
    const stop = new AbortController()
    let current: string | null = null
    const replace = (next: string | null) => {
      if (current) URL.revokeObjectURL(current)
      current = next
      setUrl(next)
    }
    const look = async () => {
      if (document.hidden) return
      // The browser asks whether it changed and takes what it has if not.
      const answer = await fetch(paths.screenPicture(id, width), { cache: 'no-cache', signal: stop.signal })
      // Too busy to show one: what was seen last stays.
      if (answer.status === 503) return
      const picture = answer.ok ? await answer.blob() : null
      if (!stop.signal.aborted) replace(picture ? URL.createObjectURL(picture) : null)
    }
    // The portal or the host may be away: the next look tells.
    const lookSafely = () => void look().catch(() => {})
    lookSafely()
    const timer = setInterval(lookSafely, everyMs)
    return () => {
      stop.abort()
      clearInterval(timer)
      replace(null)
    }
  }, [id, width, shown])
  return shown ? url : null
}

export function ScreenThumbnail({ vm, url, className }: { vm: VmView; url: string; className?: string }) {
  return (
    // biome-ignore lint/performance/noImgElement: a blob that changes every few seconds; there is nothing to optimise
    <img
      src={url}
      alt={m.vms.thumbnail(vm.name)}
      className={cx('bg-terminal object-cover object-top-left', className)}
    />
  )
}
