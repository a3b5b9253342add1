'use client'
import {
  AArrowDown,
  AArrowUp,
  ClipboardPaste,
  Copy,
  Eraser,
  ExternalLink,
  Maximize,
  Minimize,
  MoreHorizontal,
  Ruler,
  Speech,
} from 'lucide-react'
import { type ReactNode, type RefObject, useState, useSyncExternalStore } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Textarea } from '../../ui/field.tsx'
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.tsx'
import { StatusDot, type Tone } from '../../ui/status.tsx'
import { Tooltip } from '../../ui/tooltip.tsx'
import { RecordingItems } from './recording-items.tsx'
import { MenuSquare, toolbarSquare } from './toolbar-button.tsx'
import type { Recording } from './use-recording.ts'
import type { SerialConsoleControls } from './use-serial-console.ts'

const t = m.console
const tones: Record<SerialConsoleControls['state']['at'], Tone> = {
  opening: 'busy',
  connecting: 'busy',
  live: 'ok',
  waiting: 'busy',
  stopped: 'quiet',
  ended: 'bad',
}

function useFullscreen(frame: RefObject<HTMLElement | null>): boolean {
  return useSyncExternalStore(
    (changed) => {
      document.addEventListener('fullscreenchange', changed)
      return () => document.removeEventListener('fullscreenchange', changed)
    },
    () => document.fullscreenElement !== null && document.fullscreenElement === frame.current,
    () => false,
  )
}

export function ConsoleToolbar({
  vm,
  console: controls,
  frame,
  ownTab,
  canShrink,
  canGrow,
  onShrink,
  onGrow,
  screenReader,
  onScreenReader,
  start,
  recording,
}: {
  vm: VmView
  console: SerialConsoleControls
  frame: RefObject<HTMLElement | null>
  ownTab: boolean
  canShrink: boolean
  canGrow: boolean
  onShrink: () => void
  onGrow: () => void
  screenReader: boolean
  onScreenReader: (on: boolean) => void
  /** At the beginning of the bar. */
  start?: ReactNode
  recording: Recording
}) {
  const fullscreen = useFullscreen(frame)
  const [pasting, setPasting] = useState(false)
  const { state, size } = controls
  const live = state.at === 'live'
  const stateWord = state.at === 'connecting' ? t.state.opening : t.state[state.at]
  const whyNot = live ? null : stateWord

  async function paste() {
    try {
      controls.paste(await navigator.clipboard.readText())
    } catch {
      // Not allowed, or not there without a secure context: the person pastes into a field instead.
      setPasting(true)
    }
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a row of buttons is no fieldset
    <div
      role="group"
      aria-label={t.toolbar}
      className="flex flex-wrap items-center gap-1 border-line border-b bg-sunken px-2 py-1.5"
    >
      {start ? <div className="max-sm:w-full">{start}</div> : null}
      <span role="status" aria-label={stateWord} className="flex min-w-0 items-center gap-2 px-2 text-13">
        <StatusDot tone={tones[state.at]} />
        {ownTab ? <span className="truncate font-medium">{vm.name}</span> : null}
        <span className="truncate text-ink-2">{stateWord}</span>
      </span>
      {size ? (
        <Tooltip text={t.fitGuestHint(size.rows, size.cols)} side="bottom">
          <span className="tnum hidden px-1 text-ink-3 text-xs sm:inline">
            {t.size(size.cols, size.rows)}
          </span>
        </Tooltip>
      ) : null}
      <span className="flex-1" />
      <IconButton
        label={t.copy}
        whyDisabled={controls.hasSelection ? null : t.copyWhy}
        onClick={controls.copySelection}
      >
        <Copy />
      </IconButton>
      <IconButton label={t.paste} whyDisabled={whyNot} onClick={() => void paste()}>
        <ClipboardPaste />
      </IconButton>
      <span className="mx-1 h-5 w-px bg-line" aria-hidden="true" />
      <IconButton
        label={t.smaller}
        onClick={onShrink}
        whyDisabled={canShrink ? null : t.fontEnd}
        className="max-sm:hidden"
      >
        <AArrowDown />
      </IconButton>
      <IconButton
        label={t.larger}
        onClick={onGrow}
        whyDisabled={canGrow ? null : t.fontEnd}
        className="max-sm:hidden"
      >
        <AArrowUp />
      </IconButton>
      <IconButton
        label={fullscreen ? t.leaveFullscreen : t.fullscreen}
        onClick={() => {
          if (fullscreen) void document.exitFullscreen()
          else void frame.current?.requestFullscreen().then(() => controls.terminal?.terminal.focus())
        }}
      >
        {fullscreen ? <Minimize /> : <Maximize />}
      </IconButton>
      {ownTab ? null : (
        <Tooltip text={t.ownTab}>
          <a
            href={paths.consoleWindow(vm.id)}
            target="_blank"
            rel="noopener"
            aria-label={t.ownTab}
            className={toolbarSquare()}
          >
            <ExternalLink />
          </a>
        </Tooltip>
      )}
      <Menu
        trigger={
          <MenuSquare label={t.more}>
            <MoreHorizontal />
          </MenuSquare>
        }
      >
        <MenuItem
          icon={<Ruler />}
          whyDisabled={whyNot}
          onSelect={() => size && controls.type(`stty rows ${size.rows} cols ${size.cols}\r`)}
        >
          {t.fitGuest}
          {size && live ? (
            <span className="block text-ink-3 text-xs leading-4.5">
              {t.fitGuestHint(size.rows, size.cols)}
            </span>
          ) : null}
        </MenuItem>
        <MenuItem icon={<Eraser />} onSelect={() => controls.terminal?.terminal.clear()}>
          {t.clear}
        </MenuItem>
        <MenuItem icon={<AArrowUp />} whyDisabled={canGrow ? null : t.fontEnd} onSelect={onGrow}>
          {t.larger}
        </MenuItem>
        <MenuItem icon={<AArrowDown />} whyDisabled={canShrink ? null : t.fontEnd} onSelect={onShrink}>
          {t.smaller}
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={<Speech />} onSelect={() => onScreenReader(!screenReader)}>
          {screenReader ? t.readerOff : t.readerOn}
        </MenuItem>
        <RecordingItems recording={recording} vmId={vm.id} whyNot={whyNot} />
      </Menu>
      {pasting ? (
        <PasteDialog
          onClose={() => setPasting(false)}
          onPaste={(text) => {
            setPasting(false)
            controls.paste(text)
          }}
        />
      ) : null}
    </div>
  )
}

function PasteDialog({ onClose, onPaste }: { onClose: () => void; onPaste: (text: string) => void }) {
  const [text, setText] = useState('')
  return (
    <Dialog
      open
      onClose={onClose}
      closeLabel={m.common.close}
      title={t.pasteTitle}
      description={t.pasteText}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button variant="primary" whyDisabled={text ? null : t.pasteEmpty} onClick={() => onPaste(text)}>
            {t.pasteSend}
          </Button>
        </>
      }
    >
      <Field label={t.pasteField}>
        <Textarea
          rows={5}
          value={text}
          onChange={(event) => setText(event.target.value)}
          spellCheck={false}
          className="font-mono text-13!"
        />
      </Field>
    </Dialog>
  )
}
