import type { ITheme } from '@xterm/xterm'

/** The sixteen ANSI colours by day and by night; xterm raises what a guest combines badly to 4.5:1. */
export const darkTheme: ITheme = {
  background: '#120f0d',
  foreground: '#ebe4dc',
  cursor: '#f79a4b',
  cursorAccent: '#120f0d',
  selectionBackground: '#6b4a3188',
  black: '#2a2522',
  red: '#ef6a5f',
  green: '#7cc98b',
  yellow: '#e8b45a',
  blue: '#7aa8e6',
  magenta: '#cf8fd4',
  cyan: '#6cc5c1',
  white: '#d6cdc4',
  brightBlack: '#8b8179',
  brightRed: '#ff8d80',
  brightGreen: '#9fe0aa',
  brightYellow: '#f8cf82',
  brightBlue: '#a3c6f7',
  brightMagenta: '#e3b1e7',
  brightCyan: '#95dedb',
  brightWhite: '#faf6f1',
}

export const lightTheme: ITheme = {
  background: '#fdfbf9',
  foreground: '#2c2520',
  cursor: '#c2470b',
  cursorAccent: '#fdfbf9',
  selectionBackground: '#f2b98866',
  black: '#2c2520',
  red: '#b3261e',
  green: '#1f6f3a',
  yellow: '#8a5a00',
  blue: '#1d58a8',
  magenta: '#8b2f92',
  cyan: '#0d6b6b',
  white: '#857b73',
  brightBlack: '#6f665f',
  brightRed: '#c8372d',
  brightGreen: '#2a8448',
  brightYellow: '#9c6a0c',
  brightBlue: '#2f6cc0',
  brightMagenta: '#a045a7',
  brightCyan: '#1a7f7f',
  brightWhite: '#4a413a',
}

/** What the page shows now: the person's choice, else the system's. */
export function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme
  if (chosen === 'dark') return true
  if (chosen === 'light') return false
  return window.matchMedia('(prefers-color-scheme: dark)').matches
}
