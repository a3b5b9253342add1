'use client'
import {
  Activity,
  Camera,
  Check,
  Clipboard,
  Eye,
  Keyboard,
  MoreHorizontal,
  Scaling,
  TextCursorInput,
} from 'lucide-react'
import type { ReactNode } from 'react'
import { type DisplayMode, displayModes } from '../../console/display-session.ts'
import type { VmView } from '../../data/hooks.ts'
import { bytes } from '../../lib/format.ts'
import { paths } from '../../lib/paths.ts'
import { m } from '../../messages/all.ts'
import { IconButton } from '../../ui/button.tsx'
import { cx } from '../../ui/cx.ts'
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.tsx'
import { toast } from '../../ui/toast.tsx'
import { Tooltip } from '../../ui/tooltip.tsx'
import { BarGap, ConsoleBar, FullscreenButton, MenuSquare, OwnTabLink, stateWord } from './console-bar.tsx'
import { DisplayKeys } from './display-keys.tsx'
import { DisplayWatchers } from './display-watchers.tsx'
import { RecordingItems } from './recording-items.tsx'
import type { DisplayConsole } from './use-display-console.ts'
import type { Recording } from './use-recording.ts'

const t = m.display
export interface DisplayChoices {
  mode: DisplayMode
  watchOnly: boolean
  figures: boolean
}

export function DisplayToolbar({
  vm,
  console: screen,
  choices,
  onChoose,
  sticky,
  onSticky,
  fullscreen,
  onFullscreen,
  ownTab,
  onTypeText,
  onClipboard,
  sharing,
  recording,
  onScreenKeyboard,
  start,
}: {
  vm: VmView
  console: DisplayConsole
  choices: DisplayChoices
  onChoose: (change: Partial<DisplayChoices>) => void
  sticky: readonly string[]
  onSticky: (codes: readonly string[]) => void
  fullscreen: boolean
  onFullscreen: () => void
  ownTab: boolean
  onTypeText: () => void
  onClipboard: () => void
  /** The browser's clipboard and the VM's are one now. */
  sharing: boolean
  recording: Recording
  onScreenKeyboard: () => void
  /** At the beginning of the bar. */
  start?: ReactNode
}) {
  const { state, size, me, figures } = screen
  const live = state.at === 'live'
  const word = stateWord(state)
  const whyNot = !live ? word : me && !me.control ? t.control.watching : null

  async function save() {
    const picture = await screen.screenshot()
    if (!picture) return void toast.error(t.screenshotFailed)
    const link = document.createElement('a')
    link.href = URL.createObjectURL(picture)
    link.download = `${vm.name}-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.png`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }

  return (
    <ConsoleBar
      label={t.toolbar}
      state={state}
      name={ownTab || fullscreen ? vm.name : null}
      start={start}
      about={
        <>
          {size && live ? (
            <span className="tnum hidden px-1 text-ink-3 text-xs md:inline">
              {m.console.size(size.width, size.height)}
            </span>
          ) : null}
          {figures && live ? (
            <span className="tnum hidden rounded-full bg-raised px-2.5 py-0.5 text-ink-2 text-xs sm:inline">
              {t.figuresLine(
                Math.round(figures.roundTripMs),
                Math.round(figures.framesPerSecond),
                bytes(figures.bytesPerSecond),
              )}
            </span>
          ) : null}
        </>
      }
    >
      <DisplayWatchers console={screen} />
      <BarGap />
      <IconButton
        label={t.screenKeys}
        whyDisabled={whyNot}
        onClick={onScreenKeyboard}
        className="pointer-fine:hidden"
      >
        <Keyboard />
      </IconButton>
      <DisplayKeys console={screen} whyDisabled={whyNot} sticky={sticky} onSticky={onSticky} />
      <IconButton
        label={t.clipboard.button}
        onClick={onClipboard}
        className={cx('max-sm:hidden', sharing && 'text-ember!')}
      >
        <Clipboard />
      </IconButton>
      <IconButton label={t.typeText} whyDisabled={whyNot} onClick={onTypeText} className="max-sm:hidden">
        <TextCursorInput />
      </IconButton>
      <BarGap />
      <Tooltip text={t.mode.label} side="bottom">
        <span>
          <Menu
            trigger={
              <MenuSquare label={t.mode.label}>
                <Scaling />
              </MenuSquare>
            }
            focusAfter={whyNot === null ? screen.focus : undefined}
          >
            {displayModes.map((mode) => (
              <MenuItem
                key={mode}
                icon={
                  choices.mode === mode ? <Check className="text-ember" /> : <span className="block w-4" />
                }
                onSelect={() => onChoose({ mode })}
              >
                {t.mode[mode]}
                <span className="block text-ink-3 text-xs leading-4.5">{t.mode[`${mode}Hint`]}</span>
              </MenuItem>
            ))}
          </Menu>
        </span>
      </Tooltip>
      <IconButton
        label={t.screenshot}
        whyDisabled={live ? null : word}
        onClick={() => void save()}
        className="max-sm:hidden"
      >
        <Camera />
      </IconButton>
      <FullscreenButton on={fullscreen} onToggle={onFullscreen} />
      {ownTab ? null : <OwnTabLink href={`${paths.consoleWindow(vm.id)}#screen`} label={t.ownTab} />}
      <Menu
        trigger={
          <MenuSquare label={t.more}>
            <MoreHorizontal />
          </MenuSquare>
        }
      >
        <MenuItem icon={<TextCursorInput />} whyDisabled={whyNot} onSelect={onTypeText}>
          {t.typeText}
        </MenuItem>
        <MenuItem icon={<Clipboard />} onSelect={onClipboard}>
          {t.clipboard.button}
        </MenuItem>
        <MenuItem icon={<Camera />} whyDisabled={live ? null : word} onSelect={() => void save()}>
          {t.screenshot}
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          icon={choices.watchOnly ? <Check className="text-ember" /> : <Eye />}
          onSelect={() => onChoose({ watchOnly: !choices.watchOnly })}
        >
          {t.watchOnly}
          <span className="block text-ink-3 text-xs leading-4.5">{t.watchOnlyHint}</span>
        </MenuItem>
        <MenuItem
          icon={choices.figures ? <Check className="text-ember" /> : <Activity />}
          onSelect={() => onChoose({ figures: !choices.figures })}
        >
          {t.figures}
        </MenuItem>
        <RecordingItems recording={recording} vmId={vm.id} whyNot={live ? null : word} />
      </Menu>
    </ConsoleBar>
  )
}
