'use client'
import { type RefObject, useEffect, useState, useSyncExternalStore } from 'react'
import type { RecordingView } from '../../../server/views/recording.ts'
import { RecordedChannel } from '../../console/recorded-channel.ts'
import { type PlayerScreen, type PlayerState, RecordingPlayer } from '../../console/recording-player.ts'
import { AsciicastReader, FbsReader } from '../../console/recording-reader.ts'
import { paths } from '../../lib/paths.ts'

type Kind = RecordingView['kind']
interface Screen extends PlayerScreen {
  dispose(): void
}

const serialFontSize = 14
const nothing: PlayerState = { playing: false, position: 0, duration: 0, speed: 1, seeking: false }

async function displayScreen(element: HTMLElement): Promise<Screen> {
  const { default: Rfb } = await import('@novnc/novnc')
  let channel: RecordedChannel | undefined
  let rfb: InstanceType<typeof Rfb> | undefined
  const drop = () => {
    try {
      rfb?.disconnect()
    } catch {
      // It never got as far as a connection.
    }
    element.replaceChildren()
  }
  return {
    reset() {
      drop()
      channel = new RecordedChannel()
      rfb = new Rfb(element, channel)
      rfb.viewOnly = true
      rfb.scaleViewport = true
      rfb.background = 'transparent'
    },
    write: (data) => channel?.write(data),
    dispose: drop,
  }
}

async function serialScreen(element: HTMLElement): Promise<Screen> {
  const { createSerialTerminal } = await import('../../console/terminal.ts')
  const serial = createSerialTerminal(element, { fontSize: serialFontSize, screenReader: false })
  serial.terminal.options.disableStdin = true
  return {
    reset: () => serial.terminal.reset(),
    write: (data) => serial.terminal.write(data),
    dispose: () => serial.dispose(),
  }
}

export interface PlayerControls {
  state: PlayerState
  player: RecordingPlayer | null
  /** All of it is here. */
  complete: boolean
  failed: boolean
}

/** Fetches a recording and plays it into `element`, from its beginning, while the rest still arrives. */
export function usePlayer(
  recordingUid: string,
  kind: Kind | undefined,
  element: RefObject<HTMLDivElement | null>,
): PlayerControls {
  const [player, setPlayer] = useState<RecordingPlayer | null>(null)
  const [complete, setComplete] = useState(false)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    const target = element.current
    if (!target || kind === undefined) return
    const gone = new AbortController()
    let screen: Screen | undefined
    let made: RecordingPlayer | undefined
    async function run(into: HTMLElement) {
      screen = await (kind === 'display' ? displayScreen(into) : serialScreen(into))
      if (gone.signal.aborted) return screen.dispose()
      made = new RecordingPlayer({
        screen,
        now: () => performance.now(),
        frame: (then) => {
          const id = requestAnimationFrame(then)
          return () => cancelAnimationFrame(id)
        },
      })
      setPlayer(made)
      made.play()
      const reader = kind === 'display' ? new FbsReader() : new AsciicastReader()
      const response = await fetch(paths.recordingFile(recordingUid), { signal: gone.signal })
      if (!response.ok || !response.body) throw new Error(`answer ${response.status}`)
      const body = response.body.getReader()
      for (let read = await body.read(); !read.done; read = await body.read())
        made.add(reader.append(read.value))
      made.finish()
      setComplete(true)
    }
    run(target).catch(() => {
      if (!gone.signal.aborted) setFailed(true)
    })
    return () => {
      gone.abort()
      made?.dispose()
      screen?.dispose()
      setPlayer(null)
      setComplete(false)
      setFailed(false)
    }
  }, [recordingUid, kind, element])
  const state = useSyncExternalStore(
    player?.subscribe ?? (() => () => {}),
    () => player?.getState() ?? nothing,
    () => nothing,
  )
  return { state, player, complete, failed }
}
