import { randomUUID } from "node:crypto";
import {
  type Attachment,
  type Connector,
  type Creation,
  type DriverFeatures,
  type DriverStats,
  type Inventory,
  type JobSpec,
  type LockedContext,
  type MetadataChanges,
  type NewSnapshot,
  type NewVolume,
  type ObjectRecord,
  type OperationContext,
  type Provisioning,
  type SnapshotRecord,
  StorageError,
  type VolumeDriver,
  type VolumeRecord,
} from "../../contract/index.ts";
import { checkNew, checkPool, checkProvisioning, checkSize, roundedSize } from "./checks.ts";
import { type Copy, copyAtOnce, copying, copyJob, reserveAgain } from "./copies.ts";
import { leftovers, type Operation, VolumeDirectory } from "./directory.ts";
import { type FileFormat, objectName, privateDirectory } from "./layout.ts";
import { parseMarker, parseSpace } from "./listing.ts";
import {
  acknowledgedSidecar,
  given,
  inPhase,
  metadataLine,
  newSnapshotSidecar,
  newVolumeSidecar,
} from "./metadata.ts";
import {
  describe,
  ownRecord,
  refuseCopied,
  refuseDifferent,
  refuseInUse,
  refuseProtected,
  refuseSecondAttachment,
  refuseSnapshotInUse,
  refuseUnfinished,
} from "./refusals.ts";
import {
  checkScript,
  completeScript,
  createScript,
  deleteScript,
  extendScript,
  identityScript,
  statsScript,
  sweepScript,
  updateManyScript,
  updateScript,
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

class FileDriver implements VolumeDriver {
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
      snapshotsSurviveVolume: false,
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

  async checkForSetupError(context: OperationContext): Promise<void> {
    await this.#directory.ask(context, `use the directory ${this.#directory.path}`, checkScript, [
      this.#format,
    ]);
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

  async createVolume(volume: NewVolume, context: LockedContext): Promise<Creation<VolumeRecord>> {
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

  async createVolumeFromSnapshot(
    volume: NewVolume,
    snapshot: SnapshotRecord,
    context: LockedContext,
  ): Promise<Creation<VolumeRecord>> {
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
  ): Promise<Creation<VolumeRecord>> {
    const action = `create ${describe("volume", volume)} from ${describe("volume", source)}`;
    const operation = await this.#directory.begin(action, context);
    const stored = storedVolume(operation, source.id);
    refuseUnfinished(stored.record, "volume", action);
    return this.#copyToVolume(volume, stored, operation);
  }

  copyJob(id: string): Pick<JobSpec, "id" | "directory"> {
    return copyJob(this.#directory, id);
  }

  async completeVolume(id: string, context: LockedContext): Promise<VolumeRecord> {
    const operation = await this.#directory.begin(`finish the copy to volume ${id}`, context);
    const stored = storedVolume(operation, id);
    if (stored.record.phase !== "creating") return stored.record;
    const sizeBytes = await this.#complete(stored, stored.record.provisioning, operation);
    return this.#directory.keepVolume(operation, inPhase(stored.sidecar, "unacknowledged"), sizeBytes);
  }

  async deleteVolume(id: string, owner: string, context: LockedContext): Promise<void> {
    const action = `delete volume ${id}`;
    const operation = await this.#directory.begin(action, context);
    const { listing } = operation;
    const record = ownRecord(listing.volumes, listing, id, owner, action);
    if (record === undefined) return this.#sweep(operation, owner);
    refuseProtected(record, action);
    refuseInUse(record, listing, action);
    await this.#delete(storedVolume(operation, id), operation);
  }

  async extendVolume(volume: VolumeRecord, sizeBytes: number, context: LockedContext): Promise<VolumeRecord> {
    const action = `extend ${describe("volume", volume)} to ${sizeBytes} bytes`;
    checkSize(sizeBytes, action);
    const operation = await this.#directory.begin(action, context);
    const { object, record, sidecar, line } = ownVolume(operation, volume);
    const { format } = sidecar.fields;
    refuseUnfinished(record, "volume", action);
    const wanted = roundedSize(sizeBytes, format);
    if (wanted === record.sizeBytes) return record;
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
    return this.#directory.keepVolume(operation, sidecar, this.#directory.sizeFrom(operation, stdout), line);
  }

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
  ): Promise<Creation<SnapshotRecord>> {
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

  async deleteSnapshot(id: string, owner: string, context: LockedContext): Promise<void> {
    const action = `delete snapshot ${id}`;
    const operation = await this.#directory.begin(action, context);
    const { listing } = operation;
    const record = ownRecord(listing.snapshots, listing, id, owner, action);
    if (record === undefined) return this.#sweep(operation, owner);
    refuseProtected(record, action);
    refuseSnapshotInUse(record, listing, action);
    await this.#delete(storedSnapshot(operation, id), operation);
  }

  async updateSnapshot(
    snapshot: SnapshotRecord,
    changes: Omit<MetadataChanges, "multiattach">,
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
    // What a killed run attached for this same consumer is taken over; what a state knows of is that state's.
    const takenOver = (other: Attachment) =>
      other.id === attachment.id ||
      (!record.multiattach &&
        other.phase === "unacknowledged" &&
        sameConnector(other.connector, attachment.connector));
    const others = record.attachments.filter((other) => !takenOver(other));
    if (!record.multiattach) refuseSecondAttachment(others, action);
    return this.#rewriteVolume(stored, { attachments: [...others, attachment] }, operation);
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

  async #copyToVolume(
    volume: NewVolume,
    source: StoredVolume | StoredSnapshot,
    operation: Operation,
  ): Promise<Creation<VolumeRecord>> {
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
    await this.#directory.change(operation, deleteScript, { owner, args: [object, format], lines: [line] });
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

function sameConnector(one: Connector, other: Connector): boolean {
  return (
    one.host === other.host &&
    one.initiator === other.initiator &&
    one.nqn === other.nqn &&
    one.ip === other.ip
  );
}
