/** The agent: its parts put together, and the requests of the protocol handed to them. */
import { mkdir } from 'node:fs/promises'
import type { ActionReport } from '@hearth/shared/action'
import type {
  AgentEvent,
  HostInfo,
  PowerOp,
  VmCreateInput,
  VmSnapshotInput,
  VolumeCreateInput,
  VolumeGrowInput,
  VolumeRefInput,
} from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { ImageImport, OwnImage } from '@hearth/shared/image'
import { sampleIntervalMs } from '@hearth/shared/metrics'
import type { VmSpec } from '@hearth/shared/vm-spec'
import { ActionJournal, type ActionRequest } from './actions/action-journal.ts'
import { type ActionSubject, Actions, type ActionWork } from './actions/actions.ts'
import type { AgentServices, EventSink } from './api/services.ts'
import { EventHub } from './events/event-hub.ts'
import { requireFits } from './host/capacity.ts'
import { readHostInfo } from './host/info.ts'
import { readBootId } from './host/process-identity.ts'
import { BuilderClient } from './image/builder-client.ts'
import { ImageCache } from './image/image-cache.ts'
import { ImageCatalogue } from './image/image-catalogue.ts'
import { ImageStore } from './image/image-store.ts'
import { buildWork, createWork, deleteWork, importWork } from './image/image-work.ts'
import { OwnImages } from './image/own-images.ts'
import { errorText, type Log } from './log.ts'
import { Sampler } from './metrics/sampler.ts'
import type { GuestNetwork } from './network/guest-network.ts'
import { NatNetwork } from './network/nat.ts'
import { PasstNetwork } from './network/passt.ts'
import { requireNetwork } from './network/ports.ts'
import type { AgentOptions } from './options.ts'
import { recover } from './recover.ts'
import { seedDocuments } from './seed/cloud-init.ts'
import { SnapshotStore } from './snapshot/snapshot-store.ts'
import { requireRestore, requireSnapshot, restoreSnapshot, takeSnapshot } from './snapshot/vm-snapshot.ts'
import { VmStore } from './store/vm-store.ts'
import { deleteVm, powerVm, requirePower, requireUpdate, updateVm } from './vm/change-vm.ts'
import { createVm } from './vm/create-vm.ts'
import { shutdownGuests } from './vm/shutdown-guests.ts'
import type { Vm } from './vm/vm.ts'
import { Vms } from './vm/vms.ts'
import { Jails } from './vmm/jails.ts'
import { requireVolumeChange, requireVolumes } from './volume/vm-volumes.ts'
import { VolumeStore } from './volume/volume-store.ts'

/** Finished actions a snapshot shows. */
const snapshotActions = 200

export class Agent implements AgentServices {
  readonly #options: AgentOptions
  readonly #log: Log
  readonly #hub = new EventHub()
  readonly #bootId = readBootId()
  readonly #store: VmStore
  readonly #snapshots: SnapshotStore
  readonly #sampler: Sampler
  readonly #volumes: VolumeStore
  readonly #network: GuestNetwork
  readonly #catalogue: ImageCatalogue
  readonly #cache: ImageCache
  readonly #ownImages: OwnImages
  /** Uploads go to it past the actions. */
  readonly builder: BuilderClient
  readonly #actions: Actions
  readonly #vms: Vms
  readonly #jails: Jails
  #timer: NodeJS.Timeout | null = null

  constructor(options: AgentOptions, log: Log) {
    this.#options = options
    this.#log = log
    this.#store = new VmStore(options.state)
    this.#snapshots = new SnapshotStore(options.state, {
      changed: (snapshot) => this.#hub.publish({ type: 'vm_snapshot', snapshot }),
      removed: (snapshotUid) => this.#hub.publish({ type: 'vm_snapshot_removed', snapshotUid }),
    })
    this.#volumes = new VolumeStore(options.state, {
      changed: (volume) => this.#hub.publish({ type: 'volume', volume }),
      removed: (volumeUid) => this.#hub.publish({ type: 'volume_removed', volumeUid }),
    })
    const isRoot = process.getuid?.() === 0
    this.#network = isRoot
      ? new NatNetwork({ ...options, bootId: this.#bootId, log, onLeases: () => this.#leasesChanged() })
      : new PasstNetwork({ bootId: this.#bootId })
    this.builder = new BuilderClient(options.builder)
    this.#ownImages = new OwnImages(options.state)
    this.#catalogue = new ImageCatalogue({
      stateFolder: options.state,
      builder: this.builder,
      store: new ImageStore(this.#ownImages.folder, options.images),
      log,
      publish: (image) => this.#hub.publish({ type: 'image', image }),
      publishRemoved: (imageUid) => this.#hub.publish({ type: 'image_removed', imageUid }),
    })
    // Only the lab's image store is a slow share of another machine.
    this.#cache = new ImageCache({ stateFolder: options.state, enabled: options.kind === 'lab' })
    this.#actions = new Actions({
      journal: new ActionJournal(options.state),
      bootId: this.#bootId,
      log,
      publish: (action) => this.#hub.publish({ type: 'action', action }),
    })
    this.#jails = new Jails(options.runDir, log)
    this.#vms = new Vms(
      {
        store: this.#store,
        network: this.#network,
        volumePath: (volumeUid) => this.#volumes.path(volumeUid),
        runDir: options.runDir,
        jails: this.#jails,
        vmmCommand: { command: process.execPath, args: [options.vmm] },
        bootId: this.#bootId,
        log,
        changed: (vm) => {
          if (this.#vms.find(vm.spec.vmUid) === vm) this.#hub.publish({ type: 'vm', vm: vm.report() })
        },
      },
      (vmUid) => this.#hub.publish({ type: 'vm_removed', vmUid }),
    )
    this.#sampler = new Sampler(options.state, () => this.#vms.all())
  }

  async start(): Promise<void> {
    await mkdir(this.#options.state, { recursive: true, mode: 0o700 })
    await mkdir(this.#options.runDir, { recursive: true, mode: 0o700 })
    await this.#store.open()
    for (const folder of await this.#snapshots.open())
      this.#log.error('a snapshot cannot be read and is left alone', { folder })
    await this.#jails.open()
    await this.#volumes.open()
    await this.#cache.open()
    await this.#ownImages.open()
    await this.#catalogue.open()
    await recover({
      vms: this.#vms,
      store: this.#store,
      snapshots: this.#snapshots,
      actions: this.#actions,
      network: this.#network,
      bootId: this.#bootId,
      log: this.#log,
      redo: (request, actionId) => this.#redo(request, actionId),
      startAtBoot: (vm) => this.#startAtBoot(vm),
    })
    this.#catalogue.run()
    this.#timer = setInterval(() => void this.#observe(), sampleIntervalMs)
    await this.#observe()
  }

  /** Ends the agent's own work; VMs stay as they are. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    this.#catalogue.stop()
    const running = this.#vms.all().filter((vm) => vm.hasProcess)
    for (const vm of running) vm.release()
    await this.#network.stop(running.length > 0)
    await this.#jails.close()
    this.#log.info('agent ends', { vmsLeftRunning: running.length })
  }

  findVm(vmUid: string): Vm | undefined {
    return this.#vms.find(vmUid)
  }

  hostInfo(): Promise<HostInfo> {
    return readHostInfo({ ...this.#options, network: this.#network.kind, bridge: this.#network.bridge })
  }

  listVms = () => this.#vms.reports()
  listImages = () => this.#catalogue.list()
  getAction = (actionId: number) => this.#actions.get(actionId)

  shutdownGuests(timeoutMs: number): Promise<{ stopped: number; forced: number }> {
    return shutdownGuests(this.#vms.all(), timeoutMs)
  }

  async *events(signal: AbortSignal, sink?: EventSink): AsyncGenerator<AgentEvent, void, void> {
    const host = await this.hostInfo()
    yield* this.#hub.subscribe({
      signal,
      snapshot: () => ({
        type: 'snapshot',
        host,
        vms: this.#vms.reports(),
        images: this.#catalogue.list(),
        vmSnapshots: this.#snapshots.reports(),
        volumes: this.#volumes.reports(),
        actions: this.#actions.recent(snapshotActions),
      }),
      ...(sink ? { ready: () => sink.ready() } : {}),
    })
  }

  async createVm(input: VmCreateInput): Promise<ActionReport> {
    const { actionId, spec, start, snapshotUid } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    await this.#requireNetwork(spec)
    if (this.#vms.find(spec.vmUid) || this.#vms.holder(spec.vmUid) !== undefined)
      throw new HearthError('uniqueness_error', 'A VM with this identity is already on this host.')
    // Two cards with one address on one bridge would take each other's packets, and their fixed IP address.
    if (this.#vms.all().some((vm) => vm.spec.mac === spec.mac))
      throw new HearthError('uniqueness_error', `A VM on this host already has the MAC address ${spec.mac}.`)
    if (snapshotUid !== undefined) this.#snapshots.require(snapshotUid)
    else if (!this.#catalogue.has(spec.image))
      throw new HearthError('not_found', `There is no image ${spec.image} on this host.`)
    requireFits(spec)
    // Refuses user data cloud-init could not read, while the person still has the form open.
    seedDocuments(spec)
    const request: ActionRequest = {
      kind: 'create',
      spec,
      start,
      ...(snapshotUid === undefined ? {} : { snapshotUid }),
    }
    return this.#acceptOnVm(spec.vmUid, { actionId, command: 'create_vm' }, request)
  }

  async powerVm(input: { actionId: number; vmUid: string; op: PowerOp }): Promise<ActionReport> {
    const { actionId, vmUid, op } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    const vm = this.#vms.require(vmUid)
    const request: ActionRequest = { kind: 'power', vmUid, op }
    const subject: ActionSubject = { actionId, command: `${op}_vm`, vmUid }
    if (op === 'poweroff') {
      // Pulling the plug works whoever holds the VM; what it interrupts ends by itself.
      const holder = this.#vms.holder(vmUid)
      if (holder !== undefined && this.#actions.get(holder)?.command !== 'delete_vm')
        this.#actions.abort(holder, new HearthError('cancelled', 'It was powered off meanwhile.'))
      return this.#actions.accept(subject, request, this.#work(request))
    }
    if (this.#vms.holder(vmUid) === undefined) requirePower(vm, op)
    return this.#acceptOnVm(vmUid, subject, request)
  }

  async updateVm(input: { actionId: number; spec: VmSpec }): Promise<ActionReport> {
    const { actionId, spec } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    const vm = this.#vms.require(spec.vmUid)
    await this.#requireNetwork(spec, vm.spec)
    requireUpdate(vm, spec)
    requireVolumes(this.#vms, this.#volumes, vm, spec)
    seedDocuments(spec)
    return this.#acceptOnVm(spec.vmUid, { actionId, command: 'update_vm' }, { kind: 'update', spec })
  }

  async deleteVm(input: { actionId: number; vmUid: string }): Promise<ActionReport> {
    const { actionId, vmUid } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    this.#vms.require(vmUid)
    return this.#acceptOnVm(vmUid, { actionId, command: 'delete_vm' }, { kind: 'delete', vmUid })
  }

  async snapshotVm(input: VmSnapshotInput): Promise<ActionReport> {
    const { actionId, vmUid, snapshotUid } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    requireSnapshot(this.#vms.require(vmUid))
    if (this.#snapshots.find(snapshotUid))
      throw new HearthError('uniqueness_error', 'A snapshot with this identity is already on this host.')
    return this.#acceptOnVm(
      vmUid,
      { actionId, command: 'snapshot_vm' },
      { kind: 'snapshot', vmUid, snapshotUid },
    )
  }

  async restoreVm(input: VmSnapshotInput): Promise<ActionReport> {
    const { actionId, vmUid, snapshotUid } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    requireRestore(this.#vms.require(vmUid), this.#snapshots, snapshotUid)
    return this.#acceptOnVm(
      vmUid,
      { actionId, command: 'restore_vm' },
      { kind: 'restore', vmUid, snapshotUid },
    )
  }

  async deleteSnapshot(input: VmSnapshotInput): Promise<ActionReport> {
    const { actionId, vmUid, snapshotUid } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    this.#snapshots.require(snapshotUid)
    return this.#acceptOnVm(
      vmUid,
      { actionId, command: 'delete_snapshot' },
      { kind: 'delete_snapshot', vmUid, snapshotUid },
    )
  }

  async createVolume(input: VolumeCreateInput): Promise<ActionReport> {
    const { actionId, volumeUid, bytes, format, attach } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    if (this.#volumes.has(volumeUid) || this.#vms.holder(volumeUid) !== undefined)
      throw new HearthError('uniqueness_error', 'A volume with this identity is already on this host.')
    const request: ActionRequest = {
      kind: 'create_volume',
      volumeUid,
      bytes,
      format,
      ...(attach ? { attach } : {}),
    }
    if (!attach) return this.#acceptOn(volumeUid, { actionId, command: 'create_volume' }, request)
    const vm = this.#vms.require(attach.vmUid)
    requireUpdate(vm, attach)
    requireVolumes(this.#vms, this.#volumes, vm, attach, volumeUid)
    return this.#acceptOnVm(attach.vmUid, { actionId, command: 'create_volume' }, request)
  }

  async growVolume(input: VolumeGrowInput): Promise<ActionReport> {
    const { actionId, volumeUid, bytes } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    requireVolumeChange(this.#vms, this.#volumes, volumeUid, 'grow')
    return this.#acceptOn(
      volumeUid,
      { actionId, command: 'resize_volume' },
      { kind: 'grow_volume', volumeUid, bytes },
    )
  }

  async deleteVolume(input: VolumeRefInput): Promise<ActionReport> {
    const { actionId, volumeUid } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    requireVolumeChange(this.#vms, this.#volumes, volumeUid, 'delete')
    return this.#acceptOn(
      volumeUid,
      { actionId, command: 'delete_volume' },
      { kind: 'delete_volume', volumeUid },
    )
  }

  async buildImage(input: { actionId: number; imageUid: string }): Promise<ActionReport> {
    const { actionId, imageUid } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    if (!this.#catalogue.has(imageUid))
      throw new HearthError('not_found', `There is no image ${imageUid} on this host.`)
    const request: ActionRequest = { kind: 'build', imageUid }
    const fetched = this.#catalogue.list().find((image) => image.imageUid === imageUid)?.source === 'download'
    const command = fetched ? 'download_image' : 'build_image'
    return this.#actions.accept({ actionId, command, imageUid }, request, this.#work(request))
  }

  async importImage(input: ImageImport & { actionId: number }): Promise<ActionReport> {
    const { actionId, ...wanted } = input
    const { imageUid } = wanted.image
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    this.#requireNewImage(imageUid)
    const request: ActionRequest = { kind: 'import', import: wanted }
    return this.#actions.accept({ actionId, command: 'import_image', imageUid }, request, this.#work(request))
  }

  async createImage(input: { actionId: number; vmUid: string; image: OwnImage }): Promise<ActionReport> {
    const { actionId, vmUid, image } = input
    const { imageUid } = image
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    const vm = this.#vms.require(vmUid)
    this.#requireNewImage(imageUid)
    if (vm.hasProcess)
      throw new HearthError('invalid_state', 'Shut the VM down first: an image is made of a disk at rest.')
    const request: ActionRequest = { kind: 'create_image', vmUid, image }
    return this.#acceptOnVm(vmUid, { actionId, command: 'create_image', imageUid }, request)
  }

  async deleteImage(input: { actionId: number; imageUid: string }): Promise<ActionReport> {
    const { actionId, imageUid } = input
    const seen = this.#actions.get(actionId)
    if (seen) return seen
    if (!this.#catalogue.has(imageUid))
      throw new HearthError('not_found', `There is no image ${imageUid} on this host.`)
    const request: ActionRequest = { kind: 'delete_image', imageUid }
    return this.#actions.accept({ actionId, command: 'delete_image', imageUid }, request, this.#work(request))
  }

  /** Only what makes a VM or an image can be cancelled: it leaves nothing half done behind. */
  async cancelAction(actionId: number): Promise<ActionReport | null> {
    const report = this.#actions.get(actionId)
    const cancellable = ['create_vm', 'build_image', 'download_image', 'import_image', 'create_image']
    if (report && !cancellable.includes(report.command))
      throw new HearthError('invalid_state', 'This cannot be cancelled any more.')
    await this.#actions.cancel(actionId)
    return report
  }

  #requireNetwork(spec: VmSpec, current?: VmSpec): Promise<void> {
    const others = this.#vms.all().flatMap((vm) => (vm.spec.vmUid === spec.vmUid ? [] : [vm.spec]))
    return requireNetwork(this.#network, others, spec, current)
  }

  #requireNewImage(imageUid: string): void {
    const known = this.#catalogue.list().find((image) => image.imageUid === imageUid)
    // One that failed may be tried again under its uid.
    if (known && known.status !== 'failed')
      throw new HearthError('uniqueness_error', `There is an image ${imageUid} on this host already.`)
  }

  #acceptOnVm(
    vmUid: string,
    subject: Omit<ActionSubject, 'vmUid'>,
    request: ActionRequest,
  ): Promise<ActionReport> {
    return this.#acceptOn(vmUid, { ...subject, vmUid }, request)
  }

  /** One action at a time holds a thing, which is named by its uid. */
  async #acceptOn(uid: string, subject: ActionSubject, request: ActionRequest): Promise<ActionReport> {
    const { actionId } = subject
    this.#vms.hold(uid, actionId)
    try {
      return await this.#actions.accept(subject, request, this.#held(uid, actionId, request))
    } catch (error) {
      this.#vms.letGo(uid, actionId)
      throw error
    }
  }

  /** Work of the journal, to be done again; null when nothing of it is left to do. */
  #redo(request: ActionRequest, actionId: number): ActionWork {
    const held = heldBy(request)
    if (held === null || (request.kind === 'power' && request.op === 'poweroff')) return this.#work(request)
    this.#vms.hold(held, actionId)
    return this.#held(held, actionId, request)
  }

  #held(vmUid: string, actionId: number, request: ActionRequest): ActionWork {
    const work = this.#work(request)
    return async (progress) => {
      try {
        await work(progress)
      } finally {
        this.#vms.letGo(vmUid, actionId)
      }
    }
  }

  #work(request: ActionRequest): ActionWork {
    const context = {
      vms: this.#vms,
      store: this.#store,
      snapshots: this.#snapshots,
      catalogue: this.#catalogue,
      cache: this.#cache,
      ownImages: this.#ownImages,
      log: this.#log,
      network: this.#network,
    }
    switch (request.kind) {
      case 'create':
        return (progress) => createVm(context, request.spec, request.start, progress, request.snapshotUid)
      case 'power':
        return (progress) => powerVm(this.#vms.require(request.vmUid), request.op, progress)
      case 'update':
        return (progress) => updateVm(context, this.#vms.require(request.spec.vmUid), request.spec, progress)
      case 'delete':
        return (progress) => deleteVm(context, this.#vms.require(request.vmUid), progress)
      case 'snapshot':
        return (progress) =>
          takeSnapshot(this.#snapshots, this.#vms.require(request.vmUid), request.snapshotUid, progress)
      case 'restore':
        return (progress) =>
          restoreSnapshot(this.#snapshots, this.#vms.require(request.vmUid), request.snapshotUid, progress)
      case 'delete_snapshot':
        return async () => this.#snapshots.remove(request.snapshotUid)
      case 'create_volume':
        return async (progress) => {
          const { volumeUid, bytes, format, attach } = request
          progress.report(10, 'Making the disk')
          await this.#volumes.create(volumeUid, bytes, format, progress.signal)
          try {
            if (attach) await updateVm(context, this.#vms.require(attach.vmUid), attach, progress)
          } catch (error) {
            // Asked for as one thing: half of it is not left behind.
            await this.#volumes.remove(volumeUid)
            throw error
          }
        }
      case 'grow_volume':
        return () => this.#volumes.grow(request.volumeUid, request.bytes)
      case 'delete_volume':
        return () => this.#volumes.remove(request.volumeUid)
      case 'build':
        return buildWork(context, request.imageUid)
      case 'import':
        return importWork(context, request.import)
      case 'create_image':
        return createWork(context, request.vmUid, request.image)
      case 'delete_image':
        return deleteWork(context, request.imageUid)
    }
  }

  #startAtBoot(vm: Vm): void {
    this.#log.info('starting a VM with the box', { vm: vm.spec.vmUid })
    const { signal } = new AbortController()
    const progress = { signal, cancelled: signal, report: () => undefined }
    powerVm(vm, 'start', progress).catch((error: unknown) =>
      this.#log.error('cannot start a VM with the box', { vm: vm.spec.vmUid, error: errorText(error) }),
    )
  }

  #leasesChanged(): void {
    for (const vm of this.#vms.all()) {
      if (vm.hasProcess) this.#hub.publish({ type: 'vm', vm: vm.report() })
    }
  }

  async #observe(): Promise<void> {
    try {
      for (const vm of this.#vms.all()) await vm.measure()
      await this.#volumes.measureAll()
      if (this.#hub.subscriberCount > 0) this.#hub.publish({ type: 'host', host: await this.hostInfo() })
      // Taken also when nobody listens: rates need the sample before.
      this.#hub.publish({ type: 'sample', sample: await this.#sampler.sample() })
    } catch (error) {
      this.#log.warn('cannot take figures', { error: errorText(error) })
    }
  }
}

/** What an action holds, by its uid; null for what may go on beside others. */
function heldBy(request: ActionRequest): string | null {
  if (request.kind === 'create_volume') return request.attach?.vmUid ?? request.volumeUid
  if ('spec' in request) return request.spec.vmUid
  if ('vmUid' in request) return request.vmUid
  return 'volumeUid' in request ? request.volumeUid : null
}
