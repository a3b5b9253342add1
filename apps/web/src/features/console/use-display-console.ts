'use client'
import { type RefObject, useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { initialConnection } from '../../console/connection.ts'
import { type DisplayMode, DisplaySession, type DisplaySnapshot } from '../../console/display-session.ts'
import { keyStrokes, typeStrokes } from '../../console/type-text.ts'
import { errorCode } from '../../data/errors.ts'
import type { VmView } from '../../data/hooks.ts'
import { usePortalLink } from '../../data/provider.tsx'
import { useTRPCClient } from '../../data/trpc.ts'
import type { KeyboardLayout } from './keyboard-layout.ts'

const nothing: DisplaySnapshot = {
  state: initialConnection,
  size: null,
  viewers: [],
  me: null,
  figures: null,
  guestClipboard: null,
  guestShares: null,
  recorded: false,
}
const pauseMs = 30

export interface DisplayConsole extends DisplaySnapshot {
  retry: () => void
  takeControl: () => void
  focus: () => void
  /** Presses and lets go the keys one after the other, then lets them go in reverse. */
  chord: (...codes: string[]) => void
  /** One key down or up, by KeyboardEvent.code. */
  press: (code: string, down: boolean) => void
  /** A character of a screen keyboard; the guest's configured layout finds its key. */
  typeCharacter: (keysym: number) => void
  /** Leaves out what no key bears. */
  typeText: (text: string, layout: KeyboardLayout, signal: AbortSignal) => Promise<void>
  screenshot: () => Promise<Blob | null>
  /** Puts a text into the guest's clipboard, if it has an agent for that. */
  sendClipboard: (text: string) => void
}

/** Made once: with it the page takes its own place at the screen again after a broken connection. */
function newTab(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => (byte % 36).toString(36)).join('')
}

export function useDisplayConsole(
  vm: VmView,
  target: RefObject<HTMLDivElement | null>,
  frozen: RefObject<HTMLDivElement | null>,
  options: { mode: DisplayMode; watchOnly: boolean; figures: boolean },
): DisplayConsole {
  const client = useTRPCClient()
  const link = usePortalLink()
  const [session, setSession] = useState<DisplaySession | null>(null)
  const tab = useRef<string | null>(null)
  const { id: vmId, hasScreen } = vm

  useEffect(() => {
    if (!target.current || !frozen.current) return
    tab.current ??= newTab()
    const made = new DisplaySession({
      target: target.current,
      frozen: frozen.current,
      openTicket: () => client.console.openDisplay.mutate({ vmId, tab: tab.current! }),
      refusalCode: (error) => errorCode(error) ?? 'unreachable',
      // noVNC waits for the browser at its top level and knows no server: it comes with the page's first screen.
      loadRfb: () => import('@novnc/novnc'),
    })
    setSession(made)
    made.start()
    return () => {
      made.dispose()
      setSession(null)
    }
  }, [client, vmId, target, frozen])

  const snapshot = useSyncExternalStore(
    useCallback((listener) => session?.subscribe(listener) ?? (() => {}), [session]),
    () => session?.getSnapshot() ?? nothing,
    () => nothing,
  )
  const { state } = snapshot

  useEffect(() => session?.setMode(options.mode), [session, options.mode])
  useEffect(() => session?.setWatchOnly(options.watchOnly), [session, options.watchOnly])
  const live = state.at === 'live'
  useEffect(() => session?.showFigures(options.figures && live), [session, options.figures, live])

  const hostAway = !vm.host.online
  const running = vm.state === 'starting' || vm.state === 'running' || vm.state === 'paused'
  // biome-ignore lint/correctness/useExhaustiveDependencies: told again at each change of the VM's state
  useEffect(() => {
    session?.tell({ type: 'vm', running, hostAway })
  }, [session, running, hostAway, vm.state, vm.since])
  const stopped = state.at === 'stopped'
  useEffect(() => {
    if (!stopped || !running || hostAway) return
    const timer = setInterval(() => session?.tell({ type: 'vm', running, hostAway }), 1500)
    return () => clearInterval(timer)
  }, [session, stopped, running, hostAway])
  useEffect(() => {
    if (hasScreen) session?.tell({ type: 'screen_there' })
  }, [session, hasScreen])
  useEffect(() => {
    if (link === 'up') session?.tell({ type: 'portal_back' })
  }, [session, link])

  const press = (code: string, down: boolean) => session?.rfb?.sendKey(0, code, down)
  return {
    ...snapshot,
    retry: () => session?.tell({ type: 'retry' }),
    takeControl: () => session?.request({ type: 'take_control' }),
    focus: () => session?.rfb?.focus({ preventScroll: true }),
    press,
    chord: (...codes) => {
      for (const code of codes) press(code, true)
      for (const code of codes.toReversed()) press(code, false)
    },
    typeCharacter: (keysym) => session?.rfb?.sendKey(keysym, null),
    typeText: async (text, layout, signal) => {
      const { strokes } = keyStrokes(text, layout)
      const pause = () => new Promise<void>((resolve) => setTimeout(resolve, pauseMs))
      await typeStrokes(strokes, { press, pause }, signal)
    },
    sendClipboard: (text) => session?.rfb?.clipboardPasteFrom(text),
    screenshot: () =>
      new Promise((resolve) => {
        const rfb = session?.rfb
        if (rfb) rfb.toBlob(resolve, 'image/png')
        else resolve(null)
      }),
  }
}
