/** Who has keyboard and pointer: of all introduced viewers at most one, so that two people never type into each other. */
export interface Candidate {
  /** Was introduced by name; others (the socket's owner himself) may always type and are not counted here. */
  readonly introduced: boolean
  readonly mayType: boolean
}

export class ControlHolder<Viewer extends Candidate> {
  /** In the order they came. */
  private readonly viewers = new Set<Viewer>()
  /** Those that gave it away: they do not get it back unasked. */
  private readonly watching = new Set<Viewer>()
  private holder: Viewer | null = null

  holds(viewer: Viewer): boolean {
    return this.holder === viewer
  }

  /** Whether its keys and pointer count now. */
  mayType(viewer: Viewer): boolean {
    return viewer.mayType && (!viewer.introduced || this.holder === viewer)
  }

  add(viewer: Viewer): void {
    if (!viewer.introduced) return
    this.viewers.add(viewer)
    this.fill()
  }

  /** Returns the one who had it before, when that is another and its keys have to be let go. */
  take(viewer: Viewer): Viewer | null {
    if (!viewer.introduced || !viewer.mayType || this.holder === viewer) return null
    const before = this.holder
    this.watching.delete(viewer)
    this.holder = viewer
    return before
  }

  give(viewer: Viewer): void {
    this.watching.add(viewer)
    if (this.holder !== viewer) return
    this.holder = null
    this.fill()
  }

  remove(viewer: Viewer): void {
    this.viewers.delete(viewer)
    this.watching.delete(viewer)
    if (this.holder !== viewer) return
    this.holder = null
    this.fill()
  }

  /** A place nobody holds goes to whoever waits longest. */
  private fill(): void {
    if (this.holder !== null) return
    for (const viewer of this.viewers) {
      if (!viewer.mayType || this.watching.has(viewer)) continue
      this.holder = viewer
      return
    }
  }
}
