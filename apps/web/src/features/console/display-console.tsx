'use client'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { displayModes } from '../../console/display-session.ts'
import type { VmView } from '../../data/hooks.ts'
import { m } from '../../messages/all.ts'
import { cx } from '../../ui/cx.ts'
import type { useVmPower } from '../vms/use-vm-power.ts'
import { DisplayClipboardDialog } from './display-clipboard-dialog.tsx'
import { DisplayControlBar } from './display-control-bar.tsx'
import { DisplayOverlay } from './display-overlay.tsx'
import { type DisplayChoices, DisplayToolbar } from './display-toolbar.tsx'
import { DisplayTypeDialog } from './display-type-dialog.tsx'
import { RecordedPill } from './recorded-pill.tsx'
import { ScreenKeyboard } from './screen-keyboard.tsx'
import { clipboardAccess, useClipboardShare } from './use-clipboard-share.ts'
import { useDisplayConsole } from './use-display-console.ts'
import { usePageFullscreen } from './use-page-fullscreen.ts'
import { useRecording } from './use-recording.ts'

const modeKey = 'hearth.screen.mode'
/** In full screen the bar comes when the pointer is this near to the upper edge. */
const edgePixels = 6

/** A window follows best on a desk; on a phone the VM keeps its size. */
function firstMode(): DisplayChoices['mode'] {
  if (typeof window === 'undefined') return 'fit'
  try {
    const stored = localStorage.getItem(modeKey)
    const known = displayModes.find((mode) => mode === stored)
    if (known) return known
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  return window.matchMedia('(pointer: coarse)').matches ? 'fit' : 'follow'
}

/** A VM's screen: toolbar, picture, and an overlay whenever there is nothing to see. */
export function DisplayConsole({
  vm,
  actions,
  ownTab = false,
  start,
  onSerial,
}: {
  vm: VmView
  actions: ReturnType<typeof useVmPower>
  /** It is the whole page. */
  ownTab?: boolean
  /** At the beginning of the toolbar. */
  start?: ReactNode
  onSerial?: () => void
}) {
  const target = useRef<HTMLDivElement>(null)
  const frozen = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLTextAreaElement>(null)
  const [choices, setChoices] = useState<DisplayChoices>(() => ({
    mode: firstMode(),
    watchOnly: false,
    figures: false,
  }))
  const [sticky, setSticky] = useState<readonly string[]>([])
  const [typing, setTyping] = useState(false)
  const [clipboard, setClipboard] = useState(false)
  const [fullscreen, toggleFullscreen] = usePageFullscreen()
  const [barShown, setBarShown] = useState(true)
  const screen = useDisplayConsole(vm, target, frozen, choices)
  const share = useClipboardShare(screen, target)
  const recording = useRecording(vm, 'display', screen.recorded)
  const { state } = screen
  const live = state.at === 'live'

  // What is held on one connection is let go with it.
  useEffect(() => {
    if (!live) setSticky([])
  }, [live])
  const control = screen.me?.control === true
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each time the screen becomes ours
  useEffect(() => {
    if (live && control && (ownTab || document.activeElement === document.body)) screen.focus()
  }, [live, control, ownTab])
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each time it becomes full screen
  useEffect(() => {
    setBarShown(true)
    if (!fullscreen) return
    // The button that was pressed would keep the bar, and the keys.
    screen.focus()
    const timer = setTimeout(() => setBarShown(false), 2500)
    return () => clearTimeout(timer)
  }, [fullscreen])

  function choose(change: Partial<DisplayChoices>) {
    setChoices((before) => ({ ...before, ...change }))
    if (change.mode === undefined) return
    try {
      localStorage.setItem(modeKey, change.mode)
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  }

  const whole = ownTab || fullscreen
  return (
    <section
      aria-label={m.display.label(vm.name)}
      data-own-keys
      onPointerMove={(event) => {
        if (!fullscreen) return
        if (event.clientY < edgePixels) setBarShown(true)
        // A pointer that only brushed the edge was never on the bar, which came after it.
        else if (target.current?.contains(event.target as Node)) setBarShown(false)
      }}
      className={cx(
        'flex min-h-0 flex-col overflow-hidden bg-terminal',
        fullscreen && 'fixed inset-0 z-30',
        ownTab && 'h-dvh',
        !whole && 'min-h-[24rem] flex-1 rounded-card border border-line shadow-card',
      )}
    >
      <div
        onPointerLeave={() => fullscreen && setBarShown(false)}
        className={cx(
          fullscreen && 'absolute inset-x-0 top-0 z-10 shadow-float transition-transform duration-150',
          fullscreen && !barShown && '-translate-y-full focus-within:translate-y-0',
        )}
      >
        <DisplayToolbar
          vm={vm}
          console={screen}
          choices={choices}
          onChoose={choose}
          sticky={sticky}
          onSticky={setSticky}
          fullscreen={fullscreen}
          onFullscreen={toggleFullscreen}
          ownTab={ownTab}
          onTypeText={() => setTyping(true)}
          onClipboard={() => setClipboard(true)}
          recording={recording}
          sharing={share.on && screen.guestShares === true}
          onScreenKeyboard={() => field.current?.focus()}
          start={fullscreen ? null : start}
        />
        <DisplayControlBar
          console={screen}
          watchOnly={choices.watchOnly}
          onUse={() => {
            if (choices.watchOnly) choose({ watchOnly: false })
            else screen.takeControl()
            screen.focus()
          }}
        />
      </div>
      <div className="relative min-h-0 flex-1">
        <div
          ref={frozen}
          aria-hidden="true"
          className="absolute inset-0 grid place-items-center overflow-hidden opacity-45 blur-[2px] grayscale [&_canvas]:max-h-full [&_canvas]:max-w-full"
        />
        <div
          ref={target}
          role="application"
          aria-label={m.display.canvas(vm.name)}
          className="absolute inset-0 [&_canvas]:touch-none"
        />
        <RecordedPill recorded={live && screen.recorded} />
        {live ? null : <DisplayOverlay vm={vm} actions={actions} console={screen} onSerial={onSerial} />}
      </div>
      {live && control ? <ScreenKeyboard console={screen} field={field} /> : null}
      {clipboard ? (
        <DisplayClipboardDialog
          console={screen}
          share={share}
          access={clipboardAccess()}
          whyNot={!live ? m.display.clipboard.away : control ? null : m.display.control.watching}
          onClose={() => setClipboard(false)}
        />
      ) : null}
      {typing ? (
        <DisplayTypeDialog
          initialLayout={vm.display?.keyboard ?? 'us'}
          onClose={() => setTyping(false)}
          onType={screen.typeText}
          focusAfter={screen.focus}
        />
      ) : null}
    </section>
  )
}
