/** The lab did not start, or ended, or is not usable: `message` says what to do or ends with its console's last lines. */
export class LabError extends Error {
  override readonly name = 'LabError'
}
