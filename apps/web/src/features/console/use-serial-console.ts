'use client'
import { useEffect, useRef, useState } from 'react'
import { type ConnectionState, initialConnection } from '../../console/connection.ts'
import { withCtrl } from '../../console/ctrl.ts'
import { cursorKey } from '../../console/cursor-key.ts'
import { ConsoleSession } from '../../console/session.ts'
import type { SerialTerminal } from '../../console/terminal.ts'
import { errorCode } from '../../data/errors.ts'
import type { VmView } from '../../data/hooks.ts'
import { usePortalLink } from '../../data/provider.tsx'
import { useTRPCClient } from '../../data/trpc.ts'
import { m } from '../../messages/all.ts'
import { copyText } from '../../ui/copy.tsx'
import { toast } from '../../ui/toast.tsx'

export interface SerialConsoleControls {
  state: ConnectionState
  terminal: SerialTerminal | null
  size: { cols: number; rows: number } | null
  hasSelection: boolean
  /** Nothing was printed so far. */
  silent: boolean
  /** An administrator has this console recorded. */
  recorded: boolean
  /** Types into the guest. */
  type: (text: string) => void
  copySelection: () => void
  paste: (text: string) => void
  retry: () => void
  /** The next character is typed with Ctrl, for keyboards that have none. */
  ctrl: boolean
  toggleCtrl: () => void
}

/** Joins terminal, session and page: bytes one way, keys the other, and news of VM and portal to both. */
export function useSerialConsole(
  vm: VmView,
  element: React.RefObject<HTMLDivElement | null>,
  options: { fontSize: number; screenReader: boolean },
): SerialConsoleControls {
  const client = useTRPCClient()
  const link = usePortalLink()
  const [state, setState] = useState<ConnectionState>(initialConnection)
  const [terminal, setTerminal] = useState<SerialTerminal | null>(null)
  const [size, setSize] = useState<SerialConsoleControls['size']>(null)
  const [hasSelection, setHasSelection] = useState(false)
  const [silent, setSilent] = useState(false)
  const [recorded, setRecorded] = useState(false)
  const session = useRef<ConsoleSession | null>(null)
  const first = useRef(options)
  const [ctrl, setCtrl] = useState(false)
  const ctrlNext = useRef(false)
  ctrlNext.current = ctrl

  const vmId = vm.id
  useEffect(() => {
    const target = element.current
    if (!target) return
    let disposed = false
    let cleanUp = () => {}
    // xterm is a third of this page's script, so it comes only with a console.
    void import('../../console/terminal.ts').then(({ createSerialTerminal }) => {
      if (disposed) return
      const serial = createSerialTerminal(target, first.current)
      const { terminal: xterm } = serial
      const current = new ConsoleSession({
        openTicket: () => client.console.open.mutate({ vmId }),
        refusalCode: (error) => errorCode(error) ?? 'unreachable',
        onReplay() {
          xterm.reset()
          serial.setReplaying(true)
        },
        onOutput: (bytes) => xterm.write(bytes),
        onSilent: setSilent,
        onRecorded: setRecorded,
        // Behind what is still being worked off.
        onLive: () => xterm.write('', () => serial.setReplaying(false)),
      })
      const encoder = new TextEncoder()
      const send = (bytes: Uint8Array<ArrayBuffer>) => {
        if (!current.send(bytes) && bytes.length > 1024) toast.error(m.console.pasteTooLong)
      }
      const listeners = [
        xterm.onData((text) => {
          send(encoder.encode(ctrlNext.current ? withCtrl(text) : text))
          setCtrl(false)
        }),
        xterm.onBinary((text) => send(Uint8Array.from(text, (char) => char.charCodeAt(0)))),
        xterm.onResize(({ cols, rows }) => setSize({ cols, rows })),
        xterm.onSelectionChange(() => setHasSelection(xterm.hasSelection())),
      ]
      setSize({ cols: xterm.cols, rows: xterm.rows })
      xterm.attachCustomKeyEventHandler((event) => {
        if (!event.ctrlKey || !event.shiftKey || event.altKey) return true
        const key = event.key.toLowerCase()
        if (key === 'c') {
          event.preventDefault()
          if (event.type === 'keydown' && xterm.hasSelection())
            void copyText(xterm.getSelection()).then(() => xterm.focus())
          return false
        }
        // The browser then fires its own paste event, which xterm takes; typing ^V as well would be one too many.
        return key !== 'v'
      })
      const onMouseUp = () => {
        if (xterm.hasSelection()) void navigator.clipboard?.writeText(xterm.getSelection()).catch(() => {})
      }
      target.addEventListener('mouseup', onMouseUp)
      const unsubscribe = current.subscribe(() => setState(current.getState()))
      session.current = current
      setTerminal(serial)
      current.start()
      cleanUp = () => {
        target.removeEventListener('mouseup', onMouseUp)
        unsubscribe()
        for (const listener of listeners) listener.dispose()
        current.dispose()
        serial.dispose()
        session.current = null
        setTerminal(null)
        setState(initialConnection)
      }
    })
    return () => {
      disposed = true
      cleanUp()
    }
  }, [client, vmId, element])

  const hostAway = !vm.host.online
  const running = vm.state === 'starting' || vm.state === 'running' || vm.state === 'paused'
  // biome-ignore lint/correctness/useExhaustiveDependencies: told again at each change of state, and to a new terminal's session
  useEffect(() => {
    session.current?.tell({ type: 'vm', running, hostAway })
  }, [running, hostAway, vm.state, vm.since, terminal])
  // The console may know of an end before the list does, or be asked for before the VM's process is there.
  const stopped = state.at === 'stopped'
  useEffect(() => {
    if (!stopped || !running || hostAway) return
    const timer = setInterval(() => session.current?.tell({ type: 'vm', running, hostAway }), 1500)
    return () => clearInterval(timer)
  }, [stopped, running, hostAway])
  useEffect(() => {
    if (link === 'up') session.current?.tell({ type: 'portal_back' })
  }, [link])

  const type = (text: string) => {
    if (!terminal) return
    const { modes } = terminal.terminal
    terminal.terminal.input(cursorKey(text, modes.applicationCursorKeysMode), true)
    terminal.terminal.focus()
  }
  return {
    state,
    terminal,
    size,
    hasSelection,
    silent,
    recorded,
    type,
    copySelection: () => {
      if (!terminal) return
      void copyText(terminal.terminal.getSelection()).then((done) => {
        if (done) toast.success(m.console.copiedToast)
        terminal.terminal.focus()
      })
    },
    paste: (text) => {
      terminal?.terminal.paste(text)
      terminal?.terminal.focus()
    },
    ctrl,
    toggleCtrl: () => {
      setCtrl(!ctrl)
      terminal?.terminal.focus()
    },
    retry: () => session.current?.tell({ type: 'retry' }),
  }
}
