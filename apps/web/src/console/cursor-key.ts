const cursorKeys: readonly string[] = ['\x1b[A', '\x1b[B', '\x1b[C', '\x1b[D']

/** A cursor key as a program that has asked for application cursor keys (DECCKM: vi, less) expects it: SS3 in place of CSI. */
export function cursorKey(sends: string, application: boolean): string {
  return application && cursorKeys.includes(sends) ? sends.replace('[', 'O') : sends
}
