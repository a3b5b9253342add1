/**
 * What is measured of VMs and hosts. Rates are per second, averaged over the time since the sample before; sizes are
 * bytes; CPU is in cores, so that 1.5 of a VM with two vCPUs is three quarters of what it may use.
 */
import { z } from 'zod'
import { vmUidSchema } from './names.ts'

const figure = z.number().nonnegative()

export const vmFiguresSchema = z.object({
  /** Of all the VM's work on the host: the guest's own and that of its devices. */
  cpu: figure,
  /** Memory of the host that its process holds now. */
  memoryBytes: figure,
  /** Memory the guest itself uses, by its own words; null while it does not tell. */
  guestMemoryBytes: figure.nullable().optional(),
  diskReadBytes: figure,
  diskWriteBytes: figure,
  diskReads: figure,
  diskWrites: figure,
  /** What the guest received and sent. */
  netRxBytes: figure,
  netTxBytes: figure,
  netRxPackets: figure,
  netTxPackets: figure,
})
export type VmFigures = z.infer<typeof vmFiguresSchema>

export const hostFiguresSchema = z.object({
  cpu: figure,
  /** In use by everything on the box; what the kernel can give back at once is not counted. */
  memoryBytes: figure,
  /** Taken of the file system that holds the VMs' disks. */
  diskUsedBytes: figure,
  /** Of the processor, in degrees Celsius; null where the box does not tell. */
  temperature: z.number().nullable(),
})
export type HostFigures = z.infer<typeof hostFiguresSchema>

/** What a host measured at one moment. A VM is in it when it has run since the sample before. */
export const hostSampleSchema = z.object({
  at: z.iso.datetime({ precision: 3 }),
  /** null in the first one after the agent's start: there is nothing to compare with. */
  host: hostFiguresSchema.nullable(),
  vms: z.array(z.object({ vmUid: vmUidSchema, figures: vmFiguresSchema })),
})
export type HostSample = z.infer<typeof hostSampleSchema>

export const sampleIntervalMs = 10_000
