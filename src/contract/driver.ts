import type { Executor, JobSpec } from "./executor.ts";
import type { FillTarget } from "./image.ts";
import type { Inventory } from "./inventory.ts";
import type { VolumeStats } from "./stats.ts";
import type { Attachment, MetadataChanges, SnapshotRecord, VolumeRecord } from "./volume.ts";

/** What every call of a driver is given. */
export interface OperationContext {
  /** For calls that change something, this executor holds the backend's lock and each command inherits it. */
  readonly executor: Executor;
  readonly signal?: AbortSignal | undefined;
}

/** The same, with a listing made under the lock: what every refusal and every destruction is decided from. */
export interface LockedContext extends OperationContext {
  readonly fresh: Inventory;
}

/**
 * Work done (`ready`), or work too long for the lock: the backend runs `job` without it, then calls the matching
 * `complete…`. Asking for the same work again, after a broken run, returns the same job, which is then rejoined.
 */
export type Work<R> =
  | { readonly state: "ready"; readonly record: R }
  | { readonly state: "working"; readonly job: JobSpec };

/** Names a job on a host. */
export type JobReference = Pick<JobSpec, "id" | "directory">;

/** What a new volume should be; everything of the record that the caller decides. */
export type NewVolume = Omit<
  VolumeRecord,
  "phase" | "attachments" | "location" | "pool" | "formatted" | "format" | "adoptedFrom"
> & {
  /** `null` lets the driver choose its only or default pool. */
  readonly pool: string | null;
};

export type NewSnapshot = Omit<SnapshotRecord, "phase" | "location" | "sizeBytes">;

/** What a driver can and cannot do; constant for a configured driver. */
export interface DriverFeatures {
  readonly provisioning: readonly ("thin" | "thick")[];
  readonly multiattach: boolean;
  readonly onlineExtend: boolean;
  /** The volumes whose snapshots outlive them (deletion policy `snapshot` needs that). */
  readonly snapshotsOutlive: readonly ("thin" | "thick")[];
}

/**
 * Allocation on one kind of storage. Exporting is a `TargetDriver`'s business.
 *
 * Calls that take a `LockedContext` run one at a time per backend, under its lock on the host. Each leaves its object
 * in phase `creating` until it is whole, then `unacknowledged`. Clause names are those of the contract.
 */
export interface VolumeDriver {
  /** The technology, as it stands in the configuration: `file`, `lvm`. */
  readonly technology: string;
  readonly version: string;
  readonly features: DriverFeatures;
  /** The file on the host whose `flock` serializes changes to this backend. */
  readonly lockFile: string;

  /** SET-1. Checks settings; does no I/O. Throws `InvalidConfiguration`. */
  doSetup(): Promise<void>;
  /**
   * SET-2. Proves tools and storage usable, with one command. Throws `VolumeBackendError` with the cause. Where that took a
   * look at everything, it is given back, and is the run's first inventory; otherwise `null`.
   */
  checkForSetupError(context: OperationContext): Promise<Inventory | null>;
  /** Everything there is, with one command however many objects there are. */
  inventory(context: OperationContext): Promise<Inventory>;
  /** STA-1, measured now; from one command at most. The backend caches and adds what the configuration says. */
  getVolumeStats(context: OperationContext): Promise<DriverStats>;
  /**
   * Gives storage that has no identity yet its own, and prepares what the lock file needs. Called before the lock is
   * taken, and only when no state is known to hold objects of this backend. Returns the identity that then stands,
   * which another process may have made a moment before. Idempotent.
   */
  establishIdentity(context: OperationContext): Promise<string>;

  /** CRE-1, CRE-2. A reservation of that id in phase `creating`, left by a killed create, is finished. */
  createVolume(volume: NewVolume, context: LockedContext): Promise<Work<VolumeRecord>>;
  /** CFS-1. */
  createVolumeFromSnapshot(
    volume: NewVolume,
    snapshot: SnapshotRecord,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>>;
  /** CLN-1. */
  createClonedVolume(
    volume: NewVolume,
    source: VolumeRecord,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>>;
  /**
   * IMG-2. Makes a volume in phase `creating` whose content is yet to be written to the target, for `completeVolume` to
   * make whole. A reservation of that id, left by a killed create, begins anew: no job may be writing to it any more.
   */
  reserveForImage(volume: NewVolume, context: LockedContext): Promise<FillTarget>;
  /** Where images are kept while volumes are filled from them; no I/O. */
  stagingDirectory(identity: string): string;
  /** Where images are kept for volumes to come, on the file system of the staging directory; no I/O. */
  imageCacheDirectory(identity: string): string;
  /** Names the jobs that may be writing into the object of that id (copying, clearing new space); no I/O. */
  jobsOf(id: string): readonly JobReference[];
  /** After the job of a `working` creation ended with exit code 0, or a reserved volume was filled: makes it whole. */
  completeVolume(id: string, context: LockedContext): Promise<VolumeRecord>;
  /**
   * DEL-1 to DEL-3. `id` in phase `creating` is removed with all that was made for it. Where CRE-2 asks for clearing,
   * the volume is in phase `deleting` from here on, its name free, until `completeDeletion`.
   */
  deleteVolume(id: string, owner: string, context: LockedContext): Promise<Work<null>>;
  /**
   * After the job of a `working` deletion, of a volume or a snapshot, ended with exit code 0: gives the space back.
   * Already gone is success.
   */
  completeDeletion(id: string, owner: string, context: LockedContext): Promise<void>;
  /** EXT-1, EXT-2. While its job works, the volume keeps its old size; CRE-2 holds for the new part all the time. */
  extendVolume(volume: VolumeRecord, sizeBytes: number, context: LockedContext): Promise<Work<VolumeRecord>>;
  /** After the job of a `working` extension ended with exit code 0: gives the cleared space to the volume. */
  completeExtension(volume: VolumeRecord, sizeBytes: number, context: LockedContext): Promise<VolumeRecord>;
  /** Makes the volume's device appear at `location` on the storage host, as after a reboot. Idempotent. */
  activateVolume(volume: VolumeRecord, context: LockedContext): Promise<void>;
  updateVolume(volume: VolumeRecord, changes: MetadataChanges, context: LockedContext): Promise<VolumeRecord>;

  /** SNP-1. */
  createSnapshot(
    snapshot: NewSnapshot,
    volume: VolumeRecord,
    context: LockedContext,
  ): Promise<Work<SnapshotRecord>>;
  completeSnapshot(id: string, context: LockedContext): Promise<SnapshotRecord>;
  /** SNP-2. Its data, where it has any of its own, is cleared as a volume's is. */
  deleteSnapshot(id: string, owner: string, context: LockedContext): Promise<Work<null>>;
  updateSnapshot(
    snapshot: SnapshotRecord,
    changes: Omit<MetadataChanges, "multiattach" | "formatted">,
    context: LockedContext,
  ): Promise<SnapshotRecord>;

  /** ATT-1. Records the attachment; an attachment of that id that is recorded already is replaced. */
  attachVolume(volume: VolumeRecord, attachment: Attachment, context: LockedContext): Promise<VolumeRecord>;
  /** ATT-1. Already gone is success. */
  detachVolume(volume: VolumeRecord, attachmentId: string, context: LockedContext): Promise<VolumeRecord>;

  /**
   * Marks these volumes, snapshots and attachments (by their ids) `acknowledged`, with one command. Ids that are
   * not there, or not in phase `unacknowledged`, are passed over.
   */
  acknowledge(ids: readonly string[], context: LockedContext): Promise<void>;
}

/** What a driver measures itself; names and policy come from the configuration. */
export type DriverStats = Omit<
  VolumeStats,
  | "volume_backend_name"
  | "storage_protocol"
  | "reserved_percentage"
  | "max_over_subscription_ratio"
  | "filter_function"
  | "goodness_function"
  | "availability_zone"
  | "labels"
>;
