'use client'
import {
  AArrowDown,
  AArrowUp,
  ClipboardPaste,
  Copy,
  Eraser,
  MoreHorizontal,
  Ruler,
  Speech,
} from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { VmView } from '../../data/hooks.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field, Textarea } from '../../ui/field.tsx'
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.tsx'
import { Tooltip } from '../../ui/tooltip.tsx'
import { BarGap, ConsoleBar, FullscreenButton, MenuSquare, OwnTabLink, stateWord } from './console-bar.tsx'
import { RecordingItems } from './recording-items.tsx'
import type { Recording } from './use-recording.ts'
import type { SerialConsoleControls } from './use-serial-console.ts'

const t = m.console

export function ConsoleToolbar({
  vm,
  console: controls,
  fullscreen,
  onFullscreen,
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
  fullscreen: boolean
  onFullscreen: () => void
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
  const [pasting, setPasting] = useState(false)
  const { state, size } = controls
  const live = state.at === 'live'
  const whyNot = live ? null : stateWord(state)

  async function paste() {
    try {
      controls.paste(await navigator.clipboard.readText())
    } catch {
      // Not allowed, or not there without a secure context: the person pastes into a field instead.
      setPasting(true)
    }
  }

  return (
    <ConsoleBar
      label={t.toolbar}
      state={state}
      name={ownTab || fullscreen ? vm.name : null}
      start={start}
      about={
        size ? (
          <Tooltip text={t.fitGuestHint(size.rows, size.cols)} side="bottom">
            <span className="tnum hidden px-1 text-ink-3 text-xs sm:inline">
              {t.size(size.cols, size.rows)}
            </span>
          </Tooltip>
        ) : null
      }
    >
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
      <BarGap />
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
      <BarGap />
      <FullscreenButton on={fullscreen} onToggle={onFullscreen} />
      {ownTab ? null : <OwnTabLink href={paths.consoleWindow(vm.id)} label={t.ownTab} />}
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
    </ConsoleBar>
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
