/** The last snapshot after which changed pages were noted: what the next one may be based on. */
import path from 'node:path'

export class TrackedSnapshot {
  private last:
    | { readonly machine: object; readonly folder: string | undefined; readonly id: string }
    | undefined

  /**
   * What an incremental snapshot in `folder` is based on; undefined for one in the slot, which it brings up to date.
   * Throws with a line for people when there is nothing.
   */
  base(
    machine: object,
    folder: string | undefined,
  ): { readonly id: string; readonly name: string } | undefined {
    const { last } = this
    // A reset makes a new machine, of which nothing was noted.
    if (last?.machine !== machine) {
      throw new Error('there is nothing to be incremental to: make a whole snapshot with "track" first')
    }
    if (last.folder === undefined) {
      if (folder === undefined) return undefined
      throw new Error('the snapshot before is in the slot: name no folder for one that is incremental to it')
    }
    if (folder === undefined || path.dirname(path.resolve(folder)) !== path.dirname(last.folder)) {
      throw new Error(
        `an incremental snapshot lies beside the one before: name a folder in ${path.dirname(last.folder)}`,
      )
    }
    return { id: last.id, name: path.basename(last.folder) }
  }

  /** No folder is the slot. */
  keep(machine: object, folder: string | undefined, id: string): void {
    this.last = { machine, folder: folder === undefined ? undefined : path.resolve(folder), id }
  }

  forget(): void {
    this.last = undefined
  }
}
