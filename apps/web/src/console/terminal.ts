import '@xterm/xterm/css/xterm.css'
import { FitAddon } from '@xterm/addon-fit'
import { type IDisposable, Terminal } from '@xterm/xterm'
import { darkTheme, isDark, lightTheme } from './terminal-theme.ts'

export interface SerialTerminal {
  readonly terminal: Terminal
  fit(): void
  setFontSize(px: number): void
  /** While the scrollback is replayed, questions in it were answered long ago. */
  setReplaying(replaying: boolean): void
  dispose(): void
}

/**
 * Questions a program asks its terminal (cursor position, attributes, colours). A terminal that merely shows
 * a replay, or is one viewer of several, must not answer: its answer would be typed into the guest.
 */
function answerOnlyWhen(terminal: Terminal, mayAnswer: () => boolean): IDisposable[] {
  const swallow = () => !mayAnswer()
  const csi = [
    { final: 'n' },
    { prefix: '?', final: 'n' },
    { final: 'c' },
    { prefix: '>', final: 'c' },
    { prefix: '=', final: 'c' },
    { intermediates: '$', final: 'p' },
    { prefix: '?', intermediates: '$', final: 'p' },
    { final: 't' },
  ]
  const colourQuestion = (data: string) => data.includes('?') && swallow()
  return [
    ...csi.map((id) => terminal.parser.registerCsiHandler(id, swallow)),
    ...[4, 10, 11, 12].map((id) => terminal.parser.registerOscHandler(id, colourQuestion)),
    terminal.parser.registerDcsHandler({ intermediates: '$', final: 'q' }, swallow),
  ]
}

export function createSerialTerminal(
  element: HTMLElement,
  options: { fontSize: number; screenReader: boolean },
): SerialTerminal {
  const family = getComputedStyle(document.documentElement).getPropertyValue('--font-geist-mono').trim()
  const terminal = new Terminal({
    fontFamily: `${family ? `${family}, ` : ''}"DejaVu Sans Mono", ui-monospace, monospace`,
    fontSize: options.fontSize,
    lineHeight: 1.2,
    cursorBlink: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
    scrollback: 10_000,
    minimumContrastRatio: 4.5,
    screenReaderMode: options.screenReader,
    theme: isDark() ? darkTheme : lightTheme,
    // A serial console is asked for by name; the bell of a guest should not be heard in the house.
    macOptionIsMeta: true,
  })
  const fitAddon = new FitAddon()
  terminal.loadAddon(fitAddon)
  terminal.open(element)

  let replaying = true
  const handlers = answerOnlyWhen(
    terminal,
    () => !replaying && document.activeElement === terminal.textarea && document.hasFocus(),
  )

  const fit = () => {
    // A hidden tab has no size, and fitting to it would throw lines away.
    if (element.clientWidth > 40 && element.clientHeight > 40) fitAddon.fit()
  }
  const resize = new ResizeObserver(fit)
  resize.observe(element)
  fit()
  // Cells are measured with the fallback font until the file is there.
  void document.fonts.ready.then(fit)

  const retheme = () => {
    terminal.options.theme = isDark() ? darkTheme : lightTheme
  }
  const scheme = window.matchMedia('(prefers-color-scheme: dark)')
  scheme.addEventListener('change', retheme)
  const chosen = new MutationObserver(retheme)
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })

  return {
    terminal,
    fit,
    setFontSize(px) {
      terminal.options.fontSize = px
      fit()
    },
    setReplaying(next) {
      replaying = next
    },
    dispose() {
      resize.disconnect()
      chosen.disconnect()
      scheme.removeEventListener('change', retheme)
      for (const handler of handlers) handler.dispose()
      terminal.dispose()
    },
  }
}
