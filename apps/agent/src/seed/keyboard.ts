import type { LayoutName } from '@hearth/shared/keyboard-layouts'

/** One of cloud-init's `write_files`. */
export interface SeedFile {
  path: string
  content: string
}

/**
 * A guest with a screen is typed at with the keyboard its settings name: what `localectl set-x11-keymap` writes, for X and
 * for desktops that ask systemd-localed, and Debian's own file for the text consoles.
 */
export function keyboardFiles(layout: LayoutName): SeedFile[] {
  return [
    {
      path: '/etc/X11/xorg.conf.d/00-keyboard.conf',
      content: [
        'Section "InputClass"',
        '        Identifier "system-keyboard"',
        '        MatchIsKeyboard "on"',
        `        Option "XkbLayout" "${layout}"`,
        'EndSection',
        '',
      ].join('\n'),
    },
    {
      path: '/etc/default/keyboard',
      content: `XKBMODEL="pc105"\nXKBLAYOUT="${layout}"\nXKBVARIANT=""\nXKBOPTIONS=""\nBACKSPACE="guess"\n`,
    },
  ]
}
