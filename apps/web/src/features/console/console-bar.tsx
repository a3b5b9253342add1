'use client'
import { ExternalLink, Maximize, Minimize } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import type { ConnectionState } from '../../console/connection.ts'
import { m } from '../../messages/all.ts'
import { IconButton } from '../../ui/button.tsx'
import { buttonClass } from '../../ui/button-class.ts'
import { cx } from '../../ui/cx.ts'
import { StatusDot, type Tone } from '../../ui/status.tsx'
import { Tooltip } from '../../ui/tooltip.tsx'

const tones: Record<ConnectionState['at'], Tone> = {
  opening: 'busy',
  connecting: 'busy',
  live: 'ok',
  waiting: 'busy',
  stopped: 'quiet',
  ended: 'bad',
}

/** How its connection is, in a word. */
export const stateWord = ({ at }: ConnectionState): string =>
  m.console.state[at === 'connecting' ? 'opening' : at]

/** The bar above a console, serial or screen: how the connection is at its beginning, what can be done at its end. */
export function ConsoleBar({
  label,
  state,
  name,
  start,
  about,
  children,
}: {
  label: string
  state: ConnectionState
  /** The VM's, where no page around says it. */
  name: string | null
  /** At its beginning. */
  start?: ReactNode
  /** More about what is shown, after the state. */
  about?: ReactNode
  children: ReactNode
}) {
  const word = stateWord(state)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a row of buttons is no fieldset
    <div
      role="group"
      aria-label={label}
      className="flex flex-wrap items-center gap-0.5 border-line border-b bg-sunken px-2 py-1.5"
    >
      {start ? <div className="max-sm:w-full">{start}</div> : null}
      <span role="status" aria-label={word} className="flex min-w-0 items-center gap-2 px-2 text-13">
        <StatusDot tone={tones[state.at]} />
        {name === null ? null : <span className="truncate font-medium">{name}</span>}
        <span className={cx('truncate text-ink-2', state.at === 'live' && 'max-sm:sr-only')}>{word}</span>
      </span>
      {about}
      <span className="flex-1" />
      {children}
    </div>
  )
}

/** Between groups of a bar's buttons. */
export function BarGap() {
  return <span className="mx-1 h-5 w-px bg-line max-sm:hidden" aria-hidden="true" />
}

/** A square of the bar for what is no plain button: a link that looks like one. */
const square = (...classes: (string | undefined)[]): string =>
  buttonClass('ghost', 'sm', cx('size-8 px-0 [&_svg]:size-4', ...classes))

/** A square that opens a menu: `label` is its name; the menu gives it the rest. */
export function MenuSquare({
  label,
  className,
  ...rest
}: { label: string } & Omit<ComponentProps<'button'>, 'type' | 'aria-label'>) {
  return <button type="button" aria-label={label} className={square(className)} {...rest} />
}

export function FullscreenButton({ on, onToggle }: { on: boolean; onToggle: () => void }) {
  return (
    <IconButton label={on ? m.console.leaveFullscreen : m.console.fullscreen} onClick={onToggle}>
      {on ? <Minimize /> : <Maximize />}
    </IconButton>
  )
}

/** The same console with nothing around it. */
export function OwnTabLink({ href, label }: { href: string; label: string }) {
  return (
    <Tooltip text={label}>
      <a href={href} target="_blank" rel="noopener" aria-label={label} className={square('max-sm:hidden')}>
        <ExternalLink />
      </a>
    </Tooltip>
  )
}
