/** One step of setting a lab up, as it begins or as its detail changes. */
export interface LabProgress {
  /** For people: "QEMU 10 for the lab". */
  readonly step: string
  /** What it is doing now; empty when there is nothing to add. */
  readonly detail: string
}
export type OnProgress = (progress: LabProgress) => void
