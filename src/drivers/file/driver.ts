import { randomUUID } from "node:crypto";
import {
  type Attachment,
  type DriverFeatures,
  type DriverStats,
  type ExistingVolume,
  type FillsVolumes,
  type FillTarget,
  type Inventory,
  type JobReference,
  type KeepsLeftovers,
  type Leftover,
  type LockedContext,
  type ManageableListing,
  type ManagesExisting,
  type MetadataChanges,
  type NewSnapshot,
  type NewVolume,
  type ObjectRecord,
  type OperationContext,
  type Provisioning,
  type Revert,
  type RevertsToSnapshot,
  type SnapshotRecord,
  StorageError,
  type VolumeContent,
  type VolumeDriver,
  type VolumeRecord,
  type Work,
} from "../../contract/index.ts";
import { given, withAttachment } from "../shared/changes.ts";
import { refuseOwnMake, requireManageable } from "../shared/existing.ts";
import {
  describe,
  ownRecord,
  refuseCopied,
  refuseDifferent,
  refuseInUse,
  refuseProtected,
  refuseReplacing,
  refuseSnapshotInUse,
  refuseUnfinished,
} from "../shared/refusals.ts";
import { checkNew, checkPool, checkProvisioning, checkSize, roundedSize } from "./checks.ts";
import { type Copy, copyAtOnce, copying, copyJob, reserveAgain } from "./copies.ts";
import { leftovers, type Operation, VolumeDirectory } from "./directory.ts";
import {
  creatingDirectory,
  type FileFormat,
  imageCacheDirectory,
  imagesDirectory,
  jobsDirectory,
  objectName,
  privateDirectory,
} from "./layout.ts";
import { leftoverFiles } from "./leftovers.ts";
import { parseMarker, parseSpace } from "./listing.ts";
import { ForeignListing } from "./manageable.ts";
import {
  acknowledgedSidecar,
  inPhase,
  metadataLine,
  newSnapshotSidecar,
  newVolumeSidecar,
} from "./metadata.ts";
import { abandonRevert, beginRevert, completeRevert, revertJob } from "./reverts.ts";
import {
  checkScript,
  completeScript,
  createScript,
  deleteScript,
  extendScript,
  identityScript,
  manageableScript,
  manageScript,
  reserveForImageScript,
  reserveScript,
  statsScript,
  sweepScript,
  unmanageScript,
  updateManyScript,
  updateScript,
  whichFilesScript,
} from "./scripts.ts";
import type { Sidecar, SnapshotSidecar, VolumeSidecar } from "./sidecar.ts";
import {
  ownSnapshot,
  ownVolume,
  refuseNotFlat,
  type StoredObject,
  type StoredSnapshot,
  type StoredVolume,
  storedSnapshot,
  storedVolume,
} from "./stored-objects.ts";

export interface FileDriverSettings {
  /** The backend's name in the configuration, for messages. */
  readonly backend: string;
  /** Absolute path of an existing directory on the host. */
  readonly directory: string;
  /** What new, empty volumes are made as. A copy has its source's format. */
  readonly format: FileFormat;
}

/**
 * A driver for a directory of files on a host: raw (sparse or allocated) or qcow2. docs/adr/0003 describes the layout
 * and why each step stands where it does.
 */
export function createFileDriver(settings: FileDriverSettings): VolumeDriver {
  return new FileDriver(settings);
}

class FileDriver implements VolumeDriver, FillsVolumes, ManagesExisting, RevertsToSnapshot, KeepsLeftovers {
  readonly technology = "file";
  readonly version = "1.0.0";
  readonly features: DriverFeatures;
  readonly lockFile: string;
  readonly #backend: string;
  readonly #format: FileFormat;
  readonly #directory: VolumeDirectory;

  constructor({ backend, directory, format }: FileDriverSettings) {
    const path = directory.length > 1 ? directory.replace(/\/+$/, "") : directory;
    this.#backend = backend;
    this.#format = format;
    this.#directory = new VolumeDirectory(path, backend);
    this.lockFile = `${path}/${privateDirectory}/lock`;
    this.features = {
      provisioning: format === "raw" ? ["thin", "thick"] : ["thin"],
      multiattach: true,
      // QEMU keeps a qcow2 file's size in memory while it has it open; a raw file's is the file system's.
      onlineExtend: format === "raw",
      // A snapshot is a file of its own.
      snapshotsOutlive: format === "raw" ? ["thin", "thick"] : ["thin"],
    };
  }

  async doSetup(): Promise<void> {
    const { path } = this.#directory;
    const wrong = (reason: string) =>
      new StorageError({
        kind: "InvalidConfiguration",
        action: `use the directory ${JSON.stringify(path)}`,
        reason,
        nextStep: "Name an existing directory of its own by its absolute path.",
        backend: this.#backend,
        attribute: ["backends", this.#backend, "file", "directory"],
      });
    if (path === "" || /^\/+$/.test(path)) throw wrong("it is the root of the file system, or empty");
    if (!path.startsWith("/")) throw wrong("it is not an absolute path");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    if (/[\u0000-\u001f\u007f]/.test(path)) throw wrong("it contains a control character");
  }

  async checkForSetupError(context: OperationContext): Promise<null> {
    await this.#directory.ask(context, `use the directory ${this.#directory.path}`, checkScript, [
      this.#format,
    ]);
    return null;
  }

  async inventory(context: OperationContext): Promise<Inventory> {
    const { identity, volumes, snapshots, damaged } = await this.#directory.list(context);
    // Copies: the listing itself goes on changing with what is written under the same lock.
    return { identity, volumes: new Map(volumes), snapshots: new Map(snapshots), damaged };
  }

  async getVolumeStats(context: OperationContext): Promise<DriverStats> {
    const action = `measure the directory ${this.#directory.path}`;
    const { stdout } = await this.#directory.ask(context, action, statsScript);
    const space = this.#directory.understand(context, action, () => parseSpace(stdout));
    return {
      vendor_name: "breezeblock",
      driver_version: this.version,
      total_capacity_gb: space.totalGib,
      free_capacity_gb: space.freeGib,
      provisioned_capacity_gb: space.provisionedGib,
      total_volumes: space.volumes,
      thin_provisioning_support: true,
      thick_provisioning_support: this.features.provisioning.includes("thick"),
      multiattach: this.features.multiattach,
      online_extend_support: this.features.onlineExtend,
      sparse_copy_volume: true,
      QoS_support: false,
      location_info: `file:${context.executor.host}:${this.#directory.path}`,
    };
  }

  async establishIdentity(context: OperationContext): Promise<string> {
    const action = `mark the directory ${this.#directory.path}`;
    const { stdout } = await this.#directory.ask(context, action, identityScript, [randomUUID()]);
    return this.#directory.understand(context, action, () => parseMarker(stdout.toString("utf8")));
  }

  async createVolume(volume: NewVolume, context: LockedContext): Promise<Work<VolumeRecord>> {
    const action = `create ${describe("volume", volume)}`;
    checkNew(volume, action);
    checkPool(volume, action);
    const operation = await this.#directory.begin(action, context);
    const object = objectName("volume", volume.id);
    const format = operation.listing.sidecars.get(object)?.sidecar.fields.format ?? this.#format;
    const sizeBytes = roundedSize(volume.sizeBytes, format);
    checkProvisioning(volume.provisioning, format, action);
    const { listing } = operation;
    const made = ownRecord(listing.volumes, listing, volume.id, volume.owner, action);
    if (made !== undefined) {
      refuseDifferent(made.source === null && sameShape(made, volume.provisioning, sizeBytes), action);
      if (made.phase !== "creating") return { state: "ready", record: made };
    }
    const sidecar = newVolumeSidecar({ ...volume, source: null }, format, sizeBytes);
    await this.#directory.change(operation, createScript, {
      owner: volume.owner,
      args: [object, format, volume.provisioning, String(sizeBytes), made === undefined ? "no" : "yes"],
      lines: [metadataLine(sidecar, action)],
    });
    return { state: "ready", record: this.#directory.keepVolume(operation, sidecar, sizeBytes) };
  }

  async reserveVolume(volume: NewVolume, context: LockedContext): Promise<VolumeRecord> {
    const action = `reserve ${describe("volume", volume)}`;
    checkNew(volume, action);
    checkPool(volume, action);
    const operation = await this.#directory.begin(action, context);
    const { listing } = operation;
    const object = objectName("volume", volume.id);
    const stored = listing.sidecars.get(object);
    const format = stored?.sidecar.fields.format ?? this.#format;
    const sizeBytes = roundedSize(volume.sizeBytes, format);
    checkProvisioning(volume.provisioning, format, action);
    const made = ownRecord(listing.volumes, listing, volume.id, volume.owner, action);
    if (made !== undefined) {
      refuseDifferent(made.source === null && sameShape(made, volume.provisioning, sizeBytes), action);
      if (made.phase !== "creating") return made;
    }
    const fresh = inPhase(newVolumeSidecar({ ...volume, source: null }, format, sizeBytes), "creating");
    const sidecar = stored?.sidecar.kind === "volume" ? stored.sidecar : fresh;
    await this.#directory.change(operation, reserveScript, {
      owner: volume.owner,
      args: [object, format, volume.provisioning, String(sizeBytes), made === undefined ? "no" : "yes"],
      lines: [metadataLine(sidecar, action)],
    });
    return this.#directory.keepVolume(operation, sidecar, sizeBytes, stored?.line);
  }

  async contentOf(volume: VolumeRecord, context: LockedContext): Promise<VolumeContent> {
    const action = `reach the content of ${describe("volume", volume)}`;
    const operation = await this.#directory.begin(action, context);
    const stored = ownVolume(operation, volume);
    return this.#contentOf(
      stored,
      stored.record.phase === "creating" ? `/${creatingDirectory}` : "",
      operation,
    );
  }

  async snapshotContentOf(snapshot: SnapshotRecord, context: LockedContext): Promise<VolumeContent> {
    const operation = await this.#directory.begin(
      `reach the content of ${describe("snapshot", snapshot)}`,
      context,
    );
    return this.#contentOf(ownSnapshot(operation, snapshot), "", operation);
  }

  #contentOf(stored: StoredVolume | StoredSnapshot, below: string, operation: Operation): VolumeContent {
    refuseNotFlat(stored, operation);
    const { path } = this.#directory;
    const place = `${path}${below}`;
    const { format } = stored.sidecar.fields;
    return {
      format,
      path: `${place}/${stored.object}.${format}`,
      sizeBytes: stored.record.sizeBytes,
      isZeroed: true,
      proof: {
        path: `${path}/${privateDirectory}/identity`,
        text: `"${this.#directory.identity(operation)}"`,
      },
    };
  }

  fillingJob(id: string): JobReference {
    return copyJob(this.#directory, id);
  }

  async createVolumeFromSnapshot(
    volume: NewVolume,
    snapshot: SnapshotRecord,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const action = `create ${describe("volume", volume)} from ${describe("snapshot", snapshot)}`;
    const operation = await this.#directory.begin(action, context);
    const source = storedSnapshot(operation, snapshot.id);
    refuseUnfinished(source.record, "snapshot", action);
    return this.#copyToVolume(volume, source, operation);
  }

  async createClonedVolume(
    volume: NewVolume,
    source: VolumeRecord,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const action = `create ${describe("volume", volume)} from ${describe("volume", source)}`;
    const operation = await this.#directory.begin(action, context);
    const stored = storedVolume(operation, source.id);
    refuseUnfinished(stored.record, "volume", action);
    return this.#copyToVolume(volume, stored, operation);
  }

  async reserveForImage(volume: NewVolume, context: LockedContext): Promise<FillTarget> {
    const action = `create ${describe("volume", volume)} from an image`;
    checkNew(volume, action);
    checkPool(volume, action);
    checkProvisioning(volume.provisioning, this.#format, action);
    const operation = await this.#directory.begin(action, context);
    const { listing } = operation;
    const made = ownRecord(listing.volumes, listing, volume.id, volume.owner, action);
    refuseDifferent(made === undefined || made.phase === "creating", action);
    const object = objectName("volume", volume.id);
    const format = listing.sidecars.get(object)?.sidecar.fields.format ?? this.#format;
    const sizeBytes = roundedSize(volume.sizeBytes, format);
    const sidecar = newVolumeSidecar({ ...volume, source: null }, format, sizeBytes);
    if (made !== undefined) await reserveAgain(this.#directory, operation, { sidecar });
    else {
      const reservation = inPhase(sidecar, "creating");
      await this.#directory.change(operation, reserveForImageScript, {
        owner: volume.owner,
        args: [object, format],
        lines: [metadataLine(reservation, action)],
      });
      this.#directory.keepVolume(operation, reservation, sizeBytes);
    }
    const { path } = this.#directory;
    return {
      kind: "file",
      format,
      path: `${path}/${creatingDirectory}/${object}.${format}`,
      marker: `${path}/${privateDirectory}/identity`,
      identity: this.#directory.identity(operation),
      jobsDirectory: `${path}/${jobsDirectory}`,
      stagingDirectory: this.stagingDirectory(),
    };
  }

  stagingDirectory(): string {
    return `${this.#directory.path}/${imagesDirectory}`;
  }

  imageCacheDirectory(): string {
    return `${this.#directory.path}/${imageCacheDirectory}`;
  }

  jobsOf(id: string): readonly JobReference[] {
    return [copyJob(this.#directory, id), revertJob(this.#directory, id)];
  }

  async completeVolume(id: string, context: LockedContext): Promise<VolumeRecord> {
    const operation = await this.#directory.begin(`finish the copy to volume ${id}`, context);
    const stored = storedVolume(operation, id);
    if (stored.record.phase !== "creating") return stored.record;
    const sizeBytes = await this.#complete(stored, stored.record.provisioning, operation);
    return this.#directory.keepVolume(operation, inPhase(stored.sidecar, "unacknowledged"), sizeBytes);
  }

  async deleteVolume(id: string, owner: string, context: LockedContext): Promise<Work<null>> {
    const action = `delete volume ${id}`;
    const operation = await this.#directory.begin(action, context);
    const { listing } = operation;
    const record = ownRecord(listing.volumes, listing, id, owner, action);
    if (record === undefined) {
      await this.#sweep(operation, owner);
    } else {
      refuseProtected(record, action);
      refuseInUse(record, listing, action);
      const stored = storedVolume(operation, id);
      if (record.adoptedFrom !== undefined) await this.#refuseUsed(stored, operation);
      await this.#delete(stored, operation);
    }
    return { state: "ready", record: null };
  }

  /** A file's blocks are the file system's to clear: no deletion ever waits for a job. */
  async completeDeletion(id: string, owner: string, context: LockedContext): Promise<void> {
    await this.deleteVolume(id, owner, context);
  }

  async extendVolume(
    volume: VolumeRecord,
    sizeBytes: number,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const action = `extend ${describe("volume", volume)} to ${sizeBytes} bytes`;
    checkSize(sizeBytes, action);
    const operation = await this.#directory.begin(action, context);
    const { object, record, sidecar, line } = ownVolume(operation, volume);
    const { format } = sidecar.fields;
    refuseUnfinished(record, "volume", action);
    const wanted = roundedSize(sizeBytes, format);
    if (wanted === record.sizeBytes) return { state: "ready", record };
    if (wanted < record.sizeBytes) {
      throw new StorageError({
        kind: "InvalidInput",
        action,
        reason: `it has ${record.sizeBytes} bytes, and volumes never shrink`,
        attribute: ["size"],
      });
    }
    refuseCopied(record, operation.listing, action);
    const [attachment] = record.attachments;
    if (format === "qcow2" && attachment !== undefined) {
      throw new StorageError({
        kind: "VolumeIsBusy",
        action,
        reason: `qcow2 files cannot grow while they are attached, and it has attachment ${attachment.id}`,
        nextStep: "Detach it first.",
      });
    }
    const { stdout } = await this.#directory.change(operation, extendScript, {
      owner: record.owner,
      args: [object, format, record.provisioning, String(wanted)],
      lines: [line],
    });
    const grown = this.#directory.sizeFrom(operation, stdout);
    return { state: "ready", record: this.#directory.keepVolume(operation, sidecar, grown, line) };
  }

  /** What a file grows by reads as zeros at once: no extension ever waits for a job. */
  async completeExtension(
    volume: VolumeRecord,
    sizeBytes: number,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const extended = await this.extendVolume(volume, sizeBytes, context);
    if (extended.state === "ready") return extended.record;
    throw new Error("a file is extended at once");
  }

  /** A file is there as soon as its directory is. */
  async activateVolume(): Promise<void> {}

  async updateVolume(
    volume: VolumeRecord,
    changes: MetadataChanges,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const action = `update ${describe("volume", volume)}`;
    const operation = await this.#directory.begin(action, context);
    const stored = ownVolume(operation, volume);
    const { attachments } = stored.record;
    if (changes.multiattach === false && attachments.length > 1) {
      throw new StorageError({
        kind: "VolumeIsBusy",
        action,
        reason: `it has ${attachments.length} attachments, so multiattach has to stay`,
        nextStep: "Detach all but one first.",
      });
    }
    return this.#rewriteVolume(stored, given(changes), operation);
  }

  async createSnapshot(
    snapshot: NewSnapshot,
    volume: VolumeRecord,
    context: LockedContext,
  ): Promise<Work<SnapshotRecord>> {
    const action = `create ${describe("snapshot", snapshot)} of ${describe("volume", volume)}`;
    checkNew(snapshot, action);
    const operation = await this.#directory.begin(action, context);
    const { listing } = operation;
    const made = ownRecord(listing.snapshots, listing, snapshot.id, snapshot.owner, action);
    if (made !== undefined) {
      refuseDifferent(made.volumeId === volume.id, action);
      if (made.phase !== "creating") return { state: "ready", record: made };
    }
    const source = storedVolume(operation, volume.id);
    refuseUnfinished(source.record, "volume", action);
    refuseNotFlat(source, operation);
    const sidecar = newSnapshotSidecar(
      { ...snapshot, volumeId: volume.id },
      source.sidecar.fields.format,
      source.record.sizeBytes,
    );
    // A snapshot is never written to, so it needs no room kept for it, whatever its volume is.
    const copy: Copy = { source, sidecar, provisioning: "thin" };
    const sizeBytes = await this.#copy(copy, made !== undefined, operation);
    if (sizeBytes === undefined) return copying(this.#directory, operation, copy);
    return { state: "ready", record: this.#directory.keepSnapshot(operation, sidecar, sizeBytes) };
  }

  async completeSnapshot(id: string, context: LockedContext): Promise<SnapshotRecord> {
    const operation = await this.#directory.begin(`finish snapshot ${id}`, context);
    const stored = storedSnapshot(operation, id);
    if (stored.record.phase !== "creating") return stored.record;
    const sizeBytes = await this.#complete(stored, "thin", operation);
    return this.#directory.keepSnapshot(operation, inPhase(stored.sidecar, "unacknowledged"), sizeBytes);
  }

  async deleteSnapshot(id: string, owner: string, context: LockedContext): Promise<Work<null>> {
    const action = `delete snapshot ${id}`;
    const operation = await this.#directory.begin(action, context);
    const { listing } = operation;
    const record = ownRecord(listing.snapshots, listing, id, owner, action);
    if (record === undefined) {
      await this.#sweep(operation, owner);
      return { state: "ready", record: null };
    }
    refuseProtected(record, action);
    refuseSnapshotInUse(record, listing, action);
    await this.#delete(storedSnapshot(operation, id), operation);
    return { state: "ready", record: null };
  }

  async updateSnapshot(
    snapshot: SnapshotRecord,
    changes: Omit<MetadataChanges, "multiattach" | "formatted">,
    context: LockedContext,
  ): Promise<SnapshotRecord> {
    const operation = await this.#directory.begin(`update ${describe("snapshot", snapshot)}`, context);
    const stored = ownSnapshot(operation, snapshot);
    const sidecar: SnapshotSidecar = {
      ...stored.sidecar,
      fields: { ...stored.sidecar.fields, ...given(changes) },
    };
    await this.#rewrite(stored, sidecar, operation);
    return this.#directory.keepSnapshot(operation, sidecar, stored.record.sizeBytes);
  }

  checkRevert(volume: VolumeRecord): void {
    refuseReplacing(volume);
  }

  async revertToSnapshot(
    volume: VolumeRecord,
    snapshot: SnapshotRecord,
    revert: Revert,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const action = `put ${describe("volume", volume)} back to ${describe("snapshot", snapshot)}`;
    const operation = await this.#directory.begin(action, context);
    const stored = ownVolume(operation, volume);
    return beginRevert(this.#directory, operation, stored, ownSnapshot(operation, snapshot), revert);
  }

  async completeRevert(
    volume: VolumeRecord,
    snapshot: SnapshotRecord,
    revert: Revert,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const action = `put ${describe("volume", volume)} back to ${describe("snapshot", snapshot)}`;
    const operation = await this.#directory.begin(action, context);
    const stored = ownVolume(operation, volume);
    const from = ownSnapshot(operation, snapshot);
    const record = await completeRevert(this.#directory, operation, stored, from, revert);
    if (record !== undefined) return { state: "ready", record };
    return beginRevert(this.#directory, operation, stored, from, revert);
  }

  async abandonRevert(volume: VolumeRecord, context: LockedContext): Promise<VolumeRecord> {
    const operation = await this.#directory.begin(`leave ${describe("volume", volume)} as it is`, context);
    return abandonRevert(this.#directory, operation, ownVolume(operation, volume));
  }

  async attachVolume(
    volume: VolumeRecord,
    attachment: Attachment,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const action = `attach ${describe("volume", volume)}`;
    const operation = await this.#directory.begin(action, context);
    const stored = ownVolume(operation, volume);
    const { record } = stored;
    refuseUnfinished(record, "volume", action);
    // Without a reflink a copy is of one point in time only while nobody writes.
    if (attachment.mode === "rw") refuseCopied(record, operation.listing, action);
    const attachments = withAttachment(record, attachment, action);
    return this.#rewriteVolume(stored, { attachments }, operation);
  }

  async detachVolume(
    volume: VolumeRecord,
    attachmentId: string,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const operation = await this.#directory.begin(`detach ${describe("volume", volume)}`, context);
    const stored = ownVolume(operation, volume);
    const attachments = stored.record.attachments.filter(({ id }) => id !== attachmentId);
    if (attachments.length === stored.record.attachments.length) return stored.record;
    return this.#rewriteVolume(stored, { attachments }, operation);
  }

  async acknowledge(ids: readonly string[], context: LockedContext): Promise<void> {
    const operation = await this.#directory.begin(`acknowledge ${ids.length} objects`, context);
    const wanted = new Set(ids);
    const changes = [...operation.listing.sidecars].flatMap(([object, { sidecar, line }]) => {
      const changed = acknowledgedSidecar(sidecar, wanted);
      if (changed === undefined) return [];
      return [{ changed, lines: [object, line, metadataLine(changed, operation.action)] }];
    });
    const { volumes, snapshots } = operation.listing;
    for (const batch of batches(changes)) {
      const lines = batch.flatMap((change) => change.lines);
      await this.#directory.change(operation, updateManyScript, { owner: undefined, args: [], lines });
      for (const { changed } of batch) {
        const record = (changed.kind === "volume" ? volumes : snapshots).get(changed.fields.id);
        if (record !== undefined) this.#directory.keep(operation, changed, record.sizeBytes);
      }
    }
  }

  async listManageableVolumes(context: OperationContext): Promise<ManageableListing> {
    const { listing, referred } = await this.#foreign(context, `list the files in ${this.#directory.path}`);
    return {
      identity: listing.identity,
      volumes: listing.files(referred).map(({ volume }) => volume),
      hidesUsers: listing.hidesProcesses,
    };
  }

  async manageExisting(
    volume: ExistingVolume,
    reference: string,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const action = `manage the file ${this.#directory.path}/${reference}`;
    checkNew({ ...volume, pool: null, source: null }, action);
    const operation = await this.#directory.begin(action, context);
    const { listing } = operation;
    const made = ownRecord(listing.volumes, listing, volume.id, volume.owner, action);
    if (made !== undefined) return made;
    const foreign = await this.#foreign(context, action);
    const files = foreign.listing.files(foreign.referred);
    const listed = files.map((file) => file.volume);
    const manageable = requireManageable(listed, volume, reference, action);
    const file = files.find((candidate) => candidate.volume === manageable);
    if (file === undefined) throw new Error(`${reference} is not in the listing`);
    const { fields } = newVolumeSidecar(
      { ...volume, pool: null, source: null },
      file.format,
      manageable.sizeBytes,
    );
    const sidecar: VolumeSidecar = {
      kind: "volume",
      // Nothing is ever formatted that may hold somebody's data.
      fields: { ...fields, phase: "acknowledged", formatted: true, adoptedFrom: reference },
      unknown: {},
    };
    const object = objectName("volume", volume.id);
    await this.#directory.change(operation, manageScript, {
      owner: volume.owner,
      args: [object, reference, file.format, file.inode, String(file.fileBytes)],
      lines: [metadataLine(sidecar, action)],
    });
    listing.firstNames.add(object);
    return this.#directory.keepVolume(operation, sidecar, manageable.sizeBytes);
  }

  async unmanage(volume: VolumeRecord, context: LockedContext): Promise<void> {
    const action = `give back ${describe("volume", volume)}`;
    const operation = await this.#directory.begin(action, context);
    const { object, record, sidecar, line } = ownVolume(operation, volume);
    const { adoptedFrom } = record;
    refuseOwnMake(adoptedFrom, action);
    refuseUnfinished(record, "volume", action);
    refuseInUse(record, operation.listing, action);
    await this.#directory.change(operation, unmanageScript, {
      owner: record.owner,
      args: [object, sidecar.fields.format, adoptedFrom],
      lines: [line],
    });
    this.#directory.forget(operation, sidecar);
  }

  async #foreign(
    context: OperationContext,
    action: string,
  ): Promise<{ readonly listing: ForeignListing; readonly referred: readonly string[] }> {
    const { stdout } = await this.#directory.ask(context, action, manageableScript);
    const listing = this.#directory.understand(
      context,
      action,
      () => new ForeignListing(stdout, this.#directory.path),
    );
    const paths = listing.references.map(({ path }) => (path.startsWith("/") ? path : `./${path}`));
    const referred: string[] = [];
    for (let from = 0; from < paths.length; from += mostPaths) {
      const batch = paths.slice(from, from + mostPaths);
      const printed = await this.#directory.ask(context, action, whichFilesScript, batch);
      referred.push(...printed.stdout.toString("utf8").split("\n").slice(0, batch.length));
    }
    return { listing, referred };
  }

  /** What others made may be used by others as well: a guest that runs, images that stand on it. */
  async #refuseUsed({ object, sidecar, record }: StoredVolume, operation: Operation): Promise<void> {
    const { context, action } = operation;
    const { listing, referred } = await this.#foreign(context, action);
    const use = listing.userOf(`${object}.${sidecar.fields.format}`, referred);
    if (use === undefined) return;
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `${record.location}, which others made, ${use}`,
      nextStep: `End that first; or set deletion_policy = "retain" and apply it, so that it is given back instead`,
    });
  }

  async leftovers(context: LockedContext): Promise<readonly Leftover[]> {
    const operation = await this.#directory.begin("look for what killed runs left", context);
    return leftoverFiles(this.#directory, operation);
  }

  async removeLeftover({ name, owner }: Leftover, context: LockedContext): Promise<void> {
    const operation = await this.#directory.begin(`remove ${name}`, context);
    await this.#sweep(operation, owner ?? "");
  }

  async #copyToVolume(
    volume: NewVolume,
    source: StoredVolume | StoredSnapshot,
    operation: Operation,
  ): Promise<Work<VolumeRecord>> {
    const { action } = operation;
    const { listing } = operation;
    const { kind, fields } = source.sidecar;
    checkNew(volume, action);
    checkPool(volume, action);
    checkProvisioning(volume.provisioning, fields.format, action);
    const sizeBytes = roundedSize(volume.sizeBytes, fields.format);
    const made = ownRecord(listing.volumes, listing, volume.id, volume.owner, action);
    if (made !== undefined) {
      const sameSource = made.source?.kind === kind && made.source.id === fields.id;
      refuseDifferent(sameSource && sameShape(made, volume.provisioning, sizeBytes), action);
      if (made.phase !== "creating") return { state: "ready", record: made };
    }
    refuseNotFlat(source, operation);
    if (sizeBytes < source.record.sizeBytes) {
      throw new StorageError({
        kind: "InvalidInput",
        action,
        reason: `its source has ${source.record.sizeBytes} bytes, so it cannot have ${sizeBytes}`,
        attribute: ["size"],
      });
    }
    const sidecar = newVolumeSidecar(
      { ...volume, source: { kind, id: fields.id } },
      fields.format,
      sizeBytes,
    );
    const copy: Copy = { source, sidecar, provisioning: volume.provisioning };
    const copied = await this.#copy(copy, made !== undefined, operation);
    if (copied === undefined) return copying(this.#directory, operation, copy);
    return { state: "ready", record: this.#directory.keepVolume(operation, sidecar, copied) };
  }

  /** The size of a copy made at once, or `undefined` when a job has to make it. */
  async #copy(copy: Copy, reserved: boolean, operation: Operation): Promise<number | undefined> {
    if (!reserved) return copyAtOnce(this.#directory, operation, copy);
    // What a killed run has reserved, its job copies.
    await reserveAgain(this.#directory, operation, copy);
    return undefined;
  }

  async #complete(
    { object, sidecar, line }: StoredObject<Sidecar, ObjectRecord>,
    provisioning: Provisioning,
    operation: Operation,
  ): Promise<number> {
    const { owner, format, createdSizeBytes } = sidecar.fields;
    const { stdout } = await this.#directory.change(operation, completeScript, {
      owner,
      args: [object, format, provisioning, String(createdSizeBytes)],
      lines: [line, metadataLine(inPhase(sidecar, "unacknowledged"), operation.action)],
    });
    return this.#directory.sizeFrom(operation, stdout);
  }

  async #delete(
    { object, sidecar, line }: StoredObject<Sidecar, ObjectRecord>,
    operation: Operation,
  ): Promise<void> {
    const { owner, format } = sidecar.fields;
    await this.#directory.change(operation, deleteScript, {
      owner,
      args: [object, format, sidecar.kind === "volume" ? (sidecar.fields.adoptedFrom ?? "") : ""],
      lines: [line],
    });
    this.#directory.forget(operation, sidecar);
  }

  async #rewriteVolume(
    stored: StoredVolume,
    changes: Partial<VolumeSidecar["fields"]>,
    operation: Operation,
  ): Promise<VolumeRecord> {
    const sidecar = { ...stored.sidecar, fields: { ...stored.sidecar.fields, ...changes } };
    await this.#rewrite(stored, sidecar, operation);
    return this.#directory.keepVolume(operation, sidecar, stored.record.sizeBytes);
  }

  async #rewrite(
    { object, record, line }: StoredObject<Sidecar, ObjectRecord>,
    sidecar: Sidecar,
    operation: Operation,
  ): Promise<void> {
    await this.#directory.change(operation, updateScript, {
      owner: record.owner,
      args: [object],
      lines: [line, metadataLine(sidecar, operation.action)],
    });
  }

  /** Removes what is left of objects that are gone already. Usually there is nothing, and no command runs. */
  async #sweep(operation: Operation, owner: string): Promise<void> {
    if (leftovers(operation.listing, owner).length === 0) return;
    await this.#directory.change(operation, sweepScript, { owner, args: [], lines: [] });
  }
}

/** So many paths that images name are looked up by one command. */
const mostPaths = 200;

/** As many characters of metadata as one command under the lock is given: some thousand objects. */
const longestBatch = 4 * 1024 ** 2;

/** In order, as few as the longest allows. */
function batches<T extends { readonly lines: readonly string[] }>(changes: readonly T[]): readonly T[][] {
  const found: T[][] = [];
  let left = 0;
  for (const change of changes) {
    const length = change.lines.reduce((sum, line) => sum + line.length + 1, 0);
    if (length > left) {
      found.push([]);
      left = longestBatch;
    }
    found.at(-1)?.push(change);
    left -= length;
  }
  return found;
}

function sameShape(made: VolumeRecord, provisioning: Provisioning, sizeBytes: number): boolean {
  return made.provisioning === provisioning && made.sizeBytes === sizeBytes;
}
