/** Turns what mmdebstrap, apt and dpkg print into a percentage and a step. */

export interface TreeProgress {
  /** 0 to 1. */
  readonly fraction: number
  readonly step: string
}

/** A tree of this image has about so many packages; a few more or less only bend the percentage. */
const EXPECTED_PACKAGES = 270
/** The share of the time that each phase takes. */
const SHARE = { download: 0.2, unpack: 0.35, setUp: 0.42 }

export class TreeProgressReader {
  private downloaded = 0
  private unpacked = 0
  private setUp = 0

  /** Returns the new state when the line tells something. */
  read(line: string): TreeProgress | undefined {
    if (/^Get:\d+ /.test(line)) this.downloaded++
    else if (/^Unpacking /.test(line)) this.unpacked++
    else if (/^Setting up /.test(line)) this.setUp++
    else return undefined
    const name = /^(?:Unpacking|Setting up) ([^\s:]+)/.exec(line)?.[1]
    const part = (done: number): number => Math.min(done / EXPECTED_PACKAGES, 1)
    return {
      fraction:
        part(this.downloaded) * SHARE.download +
        part(this.unpacked) * SHARE.unpack +
        part(this.setUp) * SHARE.setUp,
      step: line.startsWith('Get:')
        ? "Downloading Debian's packages"
        : `${line.startsWith('Unpacking') ? 'Unpacking' : 'Setting up'} ${name}`,
    }
  }
}
