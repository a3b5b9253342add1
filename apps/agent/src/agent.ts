/** The agent: its parts put together, and the requests of the protocol handed to them. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ActionReport } from '@hearth/shared/action'
import type {
  AgentEvent,
  HostInfo,
  VmCreateInput,
  VmPowerInput,
  VmRebuildInput,
  VmRefInput,
  VmSnapshotInput,
  VmUpdateInput,
  VolumeCreateInput,
  VolumeGrowInput,
  VolumeRefInput,
} from '@hearth/shared/agent-protocol'
import { HearthError } from '@hearth/shared/errors'
import type { ImageImport, OwnImage } from '@hearth/shared/image'
import { sampleIntervalMs } from '@hearth/shared/metrics'
import { ActionJournal } from './actions/action-journal.ts'
import { Actions } from './actions/actions.ts'
import { Dispatcher } from './actions/dispatcher.ts'
import type { AgentServices, EventSink } from './api/services.ts'
import { BackupRequests } from './backup/backup-requests.ts'
import { BackupStore } from './backup/backup-store.ts'
import { BackupTarget } from './backup/backup-target.ts'
import { EventHub } from './events/event-hub.ts'
import { readHostInfo } from './host/info.ts'
import { readBootId } from './host/process-identity.ts'
import { sharesOf } from './host/shared-folders.ts'
import { BuilderClient } from './image/builder-client.ts'
import { ImageCache } from './image/image-cache.ts'
import { ImageCatalogue } from './image/image-catalogue.ts'
import { ImageRequests } from './image/image-requests.ts'
import { ImageStore } from './image/image-store.ts'
import { OwnImages } from './image/own-images.ts'
import { errorText, type Log } from './log.ts'
import { Sampler } from './metrics/sampler.ts'
import type { GuestNetwork } from './network/guest-network.ts'
import { NatNetwork } from './network/nat.ts'
import { PasstNetwork } from './network/passt.ts'
import type { AgentOptions } from './options.ts'
import { recordingSource } from './recording/console-source.ts'
import { Recordings } from './recording/recordings.ts'
import { recover } from './recover.ts'
import { SnapshotRequests } from './snapshot/snapshot-requests.ts'
import { SnapshotStore } from './snapshot/snapshot-store.ts'
import { removeLeftovers } from './store/atomic-file.ts'
import { VmStore } from './store/vm-store.ts'
import { powerVm } from './vm/change-vm.ts'
import { shutdownGuests } from './vm/shutdown-guests.ts'
import type { Vm } from './vm/vm.ts'
import { VmRequests } from './vm/vm-requests.ts'
import { Vms } from './vm/vms.ts'
import { Jails } from './vmm/jails.ts'
import { VolumeRequests } from './volume/volume-requests.ts'
import { VolumeStore } from './volume/volume-store.ts'

/** Finished actions a snapshot shows. */
const snapshotActions = 200
/** Guests are held still for a moment; where their disks are large and cannot be shared or followed, for longer. */
const letGoTimeoutMs = 10_000

export class Agent implements AgentServices {
  readonly #options: AgentOptions
  readonly #log: Log
  readonly #hub = new EventHub()
  readonly #bootId = readBootId()
  readonly #store: VmStore
  readonly #snapshots: SnapshotStore
  readonly #sampler: Sampler
  readonly #volumes: VolumeStore
  readonly #backups: BackupStore
  readonly #network: GuestNetwork
  readonly #catalogue: ImageCatalogue
  readonly #cache: ImageCache
  readonly #ownImages: OwnImages
  readonly recordings: Recordings
  readonly backups: BackupRequests
  /** Uploads go to it past the actions. */
  readonly builder: BuilderClient
  readonly #actions: Actions
  readonly #vms: Vms
  readonly #jails: Jails
  readonly #dispatcher: Dispatcher
  readonly #vmRequests: VmRequests
  readonly #snapshotRequests: SnapshotRequests
  readonly #volumeRequests: VolumeRequests
  readonly #imageRequests: ImageRequests
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
    this.#backups = new BackupStore({
      target: new BackupTarget(options.state),
      log,
      events: {
        target: (target) => this.#hub.publish({ type: 'backup_target', target }),
        changed: (backup) => this.#hub.publish({ type: 'backup', backup }),
        removed: (backupUid) => this.#hub.publish({ type: 'backup_removed', backupUid }),
      },
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
        shares: (folders) => sharesOf(options.sharedFolders, folders),
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
    this.recordings = new Recordings({
      stateFolder: options.state,
      log,
      source: (vmUid) => {
        const vm = this.#vms.find(vmUid)
        return vm ? recordingSource(vm) : null
      },
    })
    this.#sampler = new Sampler(options.state, () => this.#vms.all())
    const parts = {
      vms: this.#vms,
      store: this.#store,
      snapshots: this.#snapshots,
      volumes: this.#volumes,
      backups: this.#backups,
      stagingFolder: join(options.state, 'backup-staging'),
      catalogue: this.#catalogue,
      cache: this.#cache,
      ownImages: this.#ownImages,
      actions: this.#actions,
      network: this.#network,
      log,
    }
    this.#dispatcher = new Dispatcher(parts)
    const requests = { ...parts, dispatcher: this.#dispatcher }
    this.#vmRequests = new VmRequests(requests)
    this.#snapshotRequests = new SnapshotRequests(requests)
    this.backups = new BackupRequests(requests)
    this.#volumeRequests = new VolumeRequests(requests)
    this.#imageRequests = new ImageRequests(requests)
  }

  async start(): Promise<void> {
    await mkdir(this.#options.state, { recursive: true, mode: 0o700 })
    await mkdir(this.#options.runDir, { recursive: true, mode: 0o700 })
    await removeLeftovers(this.#options.state)
    await this.#store.open()
    for (const folder of await this.#snapshots.open())
      this.#log.error('a snapshot cannot be read and is left alone', { folder })
    await this.#jails.open()
    await this.#volumes.open()
    await this.#cache.open()
    await rm(join(this.#options.state, 'backup-staging'), { recursive: true, force: true })
    await this.#backups.open()
    await this.#ownImages.open()
    await this.#catalogue.open()
    await this.recordings.open()
    await recover({
      vms: this.#vms,
      store: this.#store,
      snapshots: this.#snapshots,
      actions: this.#actions,
      network: this.#network,
      bootId: this.#bootId,
      log: this.#log,
      redo: (request, actionId) => this.#dispatcher.redo(request, actionId),
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
    await this.recordings.close()
    const running = this.#vms.all().filter((vm) => vm.hasProcess)
    // Nobody would let go of a guest that is held still, until there is an agent again.
    await Promise.all(running.map((vm) => vm.untilLetGo(letGoTimeoutMs)))
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
        backupTarget: this.#backups.targetReport(),
        backups: this.#backups.reports(),
        actions: this.#actions.recent(snapshotActions),
      }),
      ...(sink ? { ready: () => sink.ready() } : {}),
    })
  }

  createVm = (input: VmCreateInput) => this.#vmRequests.create(input)
  powerVm = (input: VmPowerInput) => this.#vmRequests.power(input)
  updateVm = (input: VmUpdateInput) => this.#vmRequests.update(input)
  rebuildVm = (input: VmRebuildInput) => this.#vmRequests.rebuild(input)
  deleteVm = (input: VmRefInput) => this.#vmRequests.delete(input)

  snapshotVm = (input: VmSnapshotInput) => this.#snapshotRequests.take(input)
  restoreVm = (input: VmSnapshotInput) => this.#snapshotRequests.restore(input)
  deleteSnapshot = (input: VmSnapshotInput) => this.#snapshotRequests.delete(input)

  createVolume = (input: VolumeCreateInput) => this.#volumeRequests.create(input)
  growVolume = (input: VolumeGrowInput) => this.#volumeRequests.grow(input)
  deleteVolume = (input: VolumeRefInput) => this.#volumeRequests.delete(input)

  buildImage = (input: { actionId: number; imageUid: string }) => this.#imageRequests.build(input)
  importImage = (input: ImageImport & { actionId: number }) => this.#imageRequests.import(input)
  createImage = (input: { actionId: number; vmUid: string; image: OwnImage }) =>
    this.#imageRequests.create(input)
  deleteImage = (input: { actionId: number; imageUid: string }) => this.#imageRequests.delete(input)

  /** Only what leaves nothing half done behind can be cancelled. */
  async cancelAction(actionId: number): Promise<ActionReport | null> {
    const report = this.#actions.get(actionId)
    const cancellable = [
      ...['backup_vm', 'restore_backup', 'verify_backup'],
      ...['create_vm', 'build_image', 'download_image', 'import_image', 'create_image'],
    ]
    if (report && !cancellable.includes(report.command))
      throw new HearthError('invalid_state', 'This cannot be cancelled any more.')
    await this.#actions.cancel(actionId)
    return report
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
      // Not waited for: a share whose server is gone answers late, and holds up nothing else.
      void this.#backups.look()
      if (this.#hub.subscriberCount > 0) this.#hub.publish({ type: 'host', host: await this.hostInfo() })
      // Taken also when nobody listens: rates need the sample before.
      this.#hub.publish({ type: 'sample', sample: await this.#sampler.sample() })
    } catch (error) {
      this.#log.warn('cannot take figures', { error: errorText(error) })
    }
  }
}
