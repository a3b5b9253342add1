'use client'
import { Check, Copy } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { buttonClass } from './button-class.ts'
import { cx } from './cx.ts'
import { Tooltip } from './tooltip.tsx'

/**
 * Writes to the clipboard. Plain HTTP on a home network has no Clipboard API, so the old way by a
 * selected text field stays as the second one.
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.style.position = 'fixed'
    area.style.opacity = '0'
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}

export function useCopied(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return [
    copied,
    (text) => {
      void copyText(text).then((done) => {
        if (!done) return
        setCopied(true)
        clearTimeout(timer.current)
        timer.current = setTimeout(() => setCopied(false), 1600)
      })
    },
  ]
}

export function CopyButton({
  text,
  label,
  copiedLabel,
  className,
}: {
  text: string
  label: string
  copiedLabel: string
  className?: string
}) {
  const [copied, copy] = useCopied()
  return (
    <Tooltip text={copied ? copiedLabel : label}>
      <button
        type="button"
        aria-label={label}
        onClick={(event) => {
          event.stopPropagation()
          copy(text)
        }}
        className={buttonClass('ghost', 'sm', cx('size-7 px-0 text-ink-3', className))}
      >
        {copied ? <Check className="text-ok" /> : <Copy />}
        <span aria-live="polite" className="sr-only">
          {copied ? copiedLabel : ''}
        </span>
      </button>
    </Tooltip>
  )
}

/** One line to be copied: a command, an address, a secret. */
export function CopyLine({
  text,
  label,
  copiedLabel,
  prompt,
}: {
  text: string
  label: string
  copiedLabel: string
  prompt?: string
}) {
  return (
    <div className="flex min-w-0 items-center gap-2 rounded-control border border-line bg-sunken py-1 pr-1 pl-3">
      <code
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, and the keyboard must be able to
        tabIndex={0}
        className="min-w-0 flex-1 overflow-x-auto whitespace-pre py-1 font-mono text-13 [scrollbar-width:none]"
      >
        {prompt ? <span className="select-none text-ink-3">{prompt} </span> : null}
        {text}
      </code>
      <CopyButton text={text} label={label} copiedLabel={copiedLabel} />
    </div>
  )
}
