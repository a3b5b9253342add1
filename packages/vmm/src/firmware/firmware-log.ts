/** The file of `--firmware-log`. */
import { fstatSync, openSync, writeSync } from 'node:fs'
import { hostRefused } from '../sys/exit-error.ts'

/** Whatever runs in the guest may write there, for as long as it likes: firmware itself says some 100 KiB at a start. */
export const FIRMWARE_LOG_MAX = 4 * 1024 * 1024

/** Appended to by the I/O thread. Throws ExitError. */
export function openFirmwareLog(file: string | undefined): number | undefined {
  if (file === undefined) return undefined
  try {
    return openSync(file, 'a', 0o600)
  } catch (error) {
    throw hostRefused(`--firmware-log ${file}: it does not open (${(error as Error).message})`, error)
  }
}

/** A full disk must not stop the machine, nor the machine fill the disk: what does not fit is left out. */
export function appendFirmwareLog(fd: number, line: string): void {
  try {
    if (fstatSync(fd).size < FIRMWARE_LOG_MAX) writeSync(fd, `${line}\n`)
  } catch {}
}
