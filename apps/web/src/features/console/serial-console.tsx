'use client'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/all.ts'
import { cx } from '../../ui/cx.ts'
import type { useVmPower } from '../vms/use-vm-power.ts'
import { ConsoleNotice } from './console-notice.tsx'
import { ConsoleToolbar } from './console-toolbar.tsx'
import { RecordedPill } from './recorded-pill.tsx'
import { TouchKeys } from './touch-keys.tsx'
import { usePageFullscreen } from './use-page-fullscreen.ts'
import { useRecording } from './use-recording.ts'
import { useSerialConsole } from './use-serial-console.ts'

const fontKey = 'hearth.console.font'
const readerKey = 'hearth.console.reader'
const fontSizes = [10, 11, 12, 13, 14, 15, 16, 18, 20, 24]

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** The serial console: toolbar, terminal, and a notice over it whenever it is not connected. */
export function SerialConsole({
  vm,
  actions,
  ownTab = false,
  start,
}: {
  vm: VmView
  actions: ReturnType<typeof useVmPower>
  /** It is the whole page. */
  ownTab?: boolean
  /** At the beginning of the toolbar. */
  start?: ReactNode
}) {
  const screen = useRef<HTMLDivElement>(null)
  const [fontSize, setFontSize] = useState(() => {
    const stored = typeof window === 'undefined' ? Number.NaN : Number(remembered(fontKey))
    return fontSizes.includes(stored) ? stored : 13
  })
  const [screenReader, setScreenReader] = useState(
    () => typeof window !== 'undefined' && remembered(readerKey) === 'on',
  )
  const console_ = useSerialConsole(vm, screen, { fontSize, screenReader })
  const [fullscreen, toggleFullscreen] = usePageFullscreen()
  const recording = useRecording(vm, 'serial', console_.recorded)
  const { terminal, state } = console_

  useEffect(() => terminal?.setFontSize(fontSize), [terminal, fontSize])
  useEffect(() => {
    if (terminal) terminal.terminal.options.screenReaderMode = screenReader
  }, [terminal, screenReader])
  // In its own tab there is nothing else to type into; beside other controls the focus is left alone.
  const live = state.at === 'live'
  useEffect(() => {
    if (live && terminal && (ownTab || fullscreen || document.activeElement === document.body))
      terminal.terminal.focus()
  }, [live, terminal, ownTab, fullscreen])

  function step(direction: 1 | -1) {
    const next = fontSizes[fontSizes.indexOf(fontSize) + direction]
    if (next === undefined) return
    setFontSize(next)
    remember(fontKey, String(next))
  }

  return (
    <section
      aria-label={m.console.label(vm.name)}
      data-own-keys
      className={cx(
        'flex min-h-0 flex-col overflow-hidden bg-[light-dark(#fdfbf9,#120f0d)]',
        fullscreen && 'fixed inset-0 z-30',
        ownTab && 'h-dvh',
        !(ownTab || fullscreen) && 'min-h-[24rem] flex-1 rounded-card border border-line shadow-card',
      )}
    >
      <ConsoleToolbar
        vm={vm}
        console={console_}
        fullscreen={fullscreen}
        onFullscreen={toggleFullscreen}
        ownTab={ownTab}
        start={fullscreen ? null : start}
        recording={recording}
        canShrink={fontSize > fontSizes[0]!}
        canGrow={fontSize < fontSizes.at(-1)!}
        onShrink={() => step(-1)}
        onGrow={() => step(1)}
        screenReader={screenReader}
        onScreenReader={(on) => {
          setScreenReader(on)
          remember(readerKey, on ? 'on' : 'off')
        }}
      />
      <div className="relative min-h-0 flex-1">
        {/* The padding belongs to the outer box: the fit addon measures the inner one. */}
        <div className="absolute inset-0 p-2 pl-3">
          <div ref={screen} className="size-full overflow-hidden" />
        </div>
        <SilentHint silent={live && console_.silent} />
        <RecordedPill recorded={live && console_.recorded} />
        <ConsoleNotice vm={vm} actions={actions} state={state} onRetry={console_.retry} />
      </div>
      {live ? <TouchKeys ctrl={console_.ctrl} onCtrl={console_.toggleCtrl} onKey={console_.type} /> : null}
    </section>
  )
}

/** A blank console looks broken; one whose guest has said nothing says so. Gone with the first byte. */
function SilentHint({ silent }: { silent: boolean }) {
  return (
    <div
      role="status"
      className="pointer-events-none absolute inset-0 grid place-items-center p-6 text-center"
    >
      {silent ? <p className="text-13 text-ink-2">{m.console.silent}</p> : null}
    </div>
  )
}
