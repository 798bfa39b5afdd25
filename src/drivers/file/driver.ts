import { randomUUID } from "node:crypto";
import {
  type Argument,
  type Attachment,
  type CommandResult,
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
  type Phase,
  type Provisioning,
  type SnapshotRecord,
  StorageError,
  type VolumeDriver,
  type VolumeRecord,
} from "../../contract/index.ts";
import {
  type FileFormat,
  isId,
  jobsDirectory,
  type ObjectKind,
  type ObjectName,
  objectName,
  privateDirectory,
} from "./layout.ts";
import {
  type Listing,
  parseListing,
  parseMarker,
  parseSpace,
  poolName,
  snapshotRecord,
  volumeRecord,
} from "./listing.ts";
import {
  describe,
  describeAttachment,
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
  copyJobScript,
  copyScript,
  createScript,
  deleteScript,
  exitCodes,
  extendScript,
  identityScript,
  listScript,
  statsScript,
  sweepScript,
  updateManyScript,
  updateScript,
} from "./scripts.ts";
import { formatSidecar, type Sidecar, type SnapshotSidecar, type VolumeSidecar } from "./sidecar.ts";

export interface FileDriverSettings {
  /** The backend's name in the configuration, for messages. */
  readonly backend: string;
  /** Absolute path of an existing directory on the host. */
  readonly directory: string;
  /** What new, empty volumes are made as. A copy has its source's format. */
  readonly format: FileFormat;
}

/** As many leftovers as one mutation sweeps; keeps its command line short. */
const sweptAtOnce = 200;

/** In bytes. The listing reads files of up to 1 MiB, which leaves room for what a newer version or a person adds. */
const longestMetadata = 256 * 1024;

/** qcow2 sizes are whole sectors. */
const sectorBytes = 512;

/** What a change is decided from and proven against. */
interface Target<S extends Sidecar, R extends ObjectRecord> {
  readonly object: ObjectName;
  readonly sidecar: S;
  readonly line: string;
  readonly record: R;
}

/** A driver for a directory of files on a host: raw (sparse or allocated) or qcow2. Layout: docs/adr/0003. */
export function createFileDriver(settings: FileDriverSettings): VolumeDriver {
  return new FileDriver(settings);
}

class FileDriver implements VolumeDriver {
  readonly technology = "file";
  readonly version = "1.0.0";
  readonly features: DriverFeatures;
  readonly lockFile: string;
  readonly #backend: string;
  readonly #directory: string;
  readonly #format: FileFormat;
  /** What each inventory was made from, for as long as its holder keeps it. */
  readonly #listings = new WeakMap<Inventory, Listing>();

  constructor({ backend, directory, format }: FileDriverSettings) {
    this.#backend = backend;
    this.#directory = directory.length > 1 ? directory.replace(/\/+$/, "") : directory;
    this.#format = format;
    this.lockFile = `${this.#directory}/${privateDirectory}/lock`;
    this.features = {
      provisioning: format === "raw" ? ["thin", "thick"] : ["thin"],
      multiattach: true,
      // QEMU keeps a qcow2 file's size in memory while it has it open; a raw file's is the file system's.
      onlineExtend: format === "raw",
      snapshotsSurviveVolume: false,
    };
  }

  async doSetup(): Promise<void> {
    const directory = this.#directory;
    const wrong = (reason: string) =>
      new StorageError({
        kind: "InvalidConfiguration",
        action: `use the directory ${JSON.stringify(directory)}`,
        reason,
        nextStep: "Name an existing directory of its own by its absolute path.",
        backend: this.#backend,
        attribute: ["backends", this.#backend, "file", "directory"],
      });
    if (!directory.startsWith("/")) throw wrong("it is not an absolute path");
    if (/^\/+$/.test(directory)) throw wrong("it is the root of the file system");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    if (/[\u0000-\u001f\u007f]/.test(directory)) throw wrong("it contains a control character");
  }

  async checkForSetupError(context: OperationContext): Promise<void> {
    await this.#run(context, `use the directory ${this.#directory}`, checkScript, [
      this.#directory,
      this.#format,
    ]);
  }

  async inventory(context: OperationContext): Promise<Inventory> {
    return (await this.#list(context)).inventory;
  }

  async #list(context: OperationContext): Promise<Listing> {
    const action = `list the volumes in ${this.#directory}`;
    const { stdout, stderr } = await this.#run(context, action, listScript, [this.#directory]);
    const listing = this.#understand(action, context, () => parseListing(stdout, stderr, this.#directory));
    this.#listings.set(listing.inventory, listing);
    return listing;
  }

  /** What the context's inventory was made from; another listing where that inventory came from elsewhere. */
  async #listing(context: LockedContext): Promise<Listing> {
    return this.#listings.get(context.fresh) ?? (await this.#list(context));
  }

  async getVolumeStats(context: OperationContext): Promise<DriverStats> {
    const action = `measure the directory ${this.#directory}`;
    const { stdout } = await this.#run(context, action, statsScript, [this.#directory]);
    const space = this.#understand(action, context, () => parseSpace(stdout));
    return {
      vendor_name: "breezeblock",
      driver_version: this.version,
      total_capacity_gb: space.totalGib,
      free_capacity_gb: space.freeGib,
      provisioned_capacity_gb: space.provisionedGib,
      total_volumes: space.volumes,
      thin_provisioning_support: true,
      thick_provisioning_support: this.#format === "raw",
      multiattach: this.features.multiattach,
      online_extend_support: this.features.onlineExtend,
      sparse_copy_volume: true,
      QoS_support: false,
      location_info: `file:${context.executor.host}:${this.#directory}`,
    };
  }

  async establishIdentity(context: OperationContext): Promise<string> {
    const action = `mark the directory ${this.#directory}`;
    const { stdout } = await this.#run(context, action, identityScript, [this.#directory, randomUUID()]);
    return this.#understand(action, context, () => parseMarker(stdout.toString("utf8")));
  }

  async createVolume(volume: NewVolume, context: LockedContext): Promise<Creation<VolumeRecord>> {
    const action = `create ${describe("volume", volume)}`;
    const listing = await this.#listing(context);
    const { inventory } = listing;
    checkNew(volume, action);
    checkPool(volume, action);
    const object = objectName("volume", volume.id);
    const format = listing.sidecars.get(object)?.sidecar.fields.format ?? this.#format;
    const sizeBytes = roundedSize(volume.sizeBytes, format);
    checkProvisioning(volume.provisioning, format, action);
    const made = ownRecord(inventory.volumes, inventory, volume.id, volume.owner, action);
    if (made !== undefined) {
      refuseDifferent(made.source === null && made.sizeBytes === sizeBytes, action);
      if (made.phase !== "creating") return { state: "ready", record: made };
    }
    const sidecar = newVolumeSidecar(volume, format, sizeBytes);
    await this.#change(context, listing, volume.owner, action, createScript, {
      args: [object, format, volume.provisioning, String(sizeBytes), made === undefined ? "no" : "yes"],
      lines: [metadataLine(sidecar, action)],
    });
    return { state: "ready", record: volumeRecord(sidecar, sizeBytes, this.#directory) };
  }

  async createVolumeFromSnapshot(
    volume: NewVolume,
    snapshot: SnapshotRecord,
    context: LockedContext,
  ): Promise<Creation<VolumeRecord>> {
    const action = `create ${describe("volume", volume)} from ${describe("snapshot", snapshot)}`;
    const listing = await this.#listing(context);
    const source = listing.inventory.snapshots.get(snapshot.id);
    if (source === undefined) throw this.#notFound("snapshot", snapshot.id, action, listing);
    refuseUnfinished(source, "snapshot", action);
    return this.#copyToVolume(
      volume,
      { kind: "snapshot", record: source, provisioning: "thin" },
      action,
      context,
    );
  }

  async createClonedVolume(
    volume: NewVolume,
    source: VolumeRecord,
    context: LockedContext,
  ): Promise<Creation<VolumeRecord>> {
    const action = `create ${describe("volume", volume)} from ${describe("volume", source)}`;
    const listing = await this.#listing(context);
    const found = listing.inventory.volumes.get(source.id);
    if (found === undefined) throw this.#notFound("volume", source.id, action, listing);
    refuseUnfinished(found, "volume", action);
    return this.#copyToVolume(
      volume,
      { kind: "volume", record: found, provisioning: found.provisioning },
      action,
      context,
    );
  }

  copyJob(id: string): Pick<JobSpec, "id" | "directory"> {
    return { id: `copy-${id}`, directory: `${this.#directory}/${jobsDirectory}` };
  }

  async completeVolume(id: string, context: LockedContext): Promise<VolumeRecord> {
    const listing = await this.#listing(context);
    const action = `finish the copy to volume ${id}`;
    const target = this.#volumeTarget(listing, id, action);
    if (target.record.phase !== "creating") return target.record;
    const sizeBytes = await this.#complete(
      target,
      target.sidecar.fields.provisioning,
      action,
      listing,
      context,
    );
    return volumeRecord(inPhase(target.sidecar, "unacknowledged"), sizeBytes, this.#directory);
  }

  async deleteVolume(id: string, owner: string, context: LockedContext): Promise<void> {
    const action = `delete volume ${id}`;
    const listing = await this.#listing(context);
    const { inventory } = listing;
    const record = ownRecord(inventory.volumes, inventory, id, owner, action);
    if (record === undefined) return this.#sweep(context, listing, owner, action);
    refuseProtected(record, action);
    refuseInUse(record, inventory, action);
    await this.#delete(this.#volumeTarget(listing, id, action), action, listing, context);
  }

  async extendVolume(volume: VolumeRecord, sizeBytes: number, context: LockedContext): Promise<VolumeRecord> {
    const action = `extend ${describe("volume", volume)} to ${sizeBytes} bytes`;
    const listing = await this.#listing(context);
    const target = this.#ownVolume(listing, volume, action);
    const { record, sidecar } = target;
    refuseUnfinished(record, "volume", action);
    checkSize(sizeBytes, action);
    const wanted = roundedSize(sizeBytes, sidecar.fields.format);
    if (wanted === record.sizeBytes) return record;
    if (wanted < record.sizeBytes) {
      throw new StorageError({
        kind: "InvalidInput",
        action,
        reason: `it has ${record.sizeBytes} bytes, and volumes never shrink`,
        attribute: ["size"],
      });
    }
    refuseCopied(record, listing.inventory, action);
    const [attachment] = record.attachments;
    if (sidecar.fields.format === "qcow2" && attachment !== undefined) {
      throw new StorageError({
        kind: "VolumeIsBusy",
        action,
        reason: `qcow2 files cannot grow while they are attached, and it has attachment ${attachment.id}`,
        nextStep: "Detach it first.",
      });
    }
    const { stdout } = await this.#change(context, listing, record.owner, action, extendScript, {
      args: [target.object, sidecar.fields.format, record.provisioning, String(wanted)],
      lines: [target.line],
    });
    return { ...record, sizeBytes: this.#parseSize(stdout, action, context) };
  }

  async updateVolume(
    volume: VolumeRecord,
    changes: MetadataChanges,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const action = `update ${describe("volume", volume)}`;
    const listing = await this.#listing(context);
    const target = this.#ownVolume(listing, volume, action);
    const { record } = target;
    if (changes.multiattach === false && record.attachments.length > 1) {
      throw new StorageError({
        kind: "VolumeIsBusy",
        action,
        reason: `it has ${record.attachments.length} attachments, so multiattach has to stay`,
        nextStep: "Detach all but one first.",
      });
    }
    return this.#rewriteVolume(target, given(changes), action, listing, context);
  }

  async createSnapshot(
    snapshot: NewSnapshot,
    volume: VolumeRecord,
    context: LockedContext,
  ): Promise<Creation<SnapshotRecord>> {
    const action = `create ${describe("snapshot", snapshot)} of ${describe("volume", volume)}`;
    const listing = await this.#listing(context);
    const { inventory } = listing;
    checkNew(snapshot, action);
    const made = ownRecord(inventory.snapshots, inventory, snapshot.id, snapshot.owner, action);
    if (made !== undefined) {
      refuseDifferent(made.volumeId === volume.id, action);
      if (made.phase !== "creating") return { state: "ready", record: made };
    }
    const found = inventory.volumes.get(volume.id);
    if (found === undefined) throw this.#notFound("volume", volume.id, action, listing);
    refuseUnfinished(found, "volume", action);
    const source = this.#flatSource(listing, "volume", found, action);
    const { format } = source.sidecar.fields;
    // A snapshot is never written to, so it needs no room kept for it, whatever its volume is.
    const job = this.#copying(
      listing,
      source.object,
      "snapshot",
      snapshot.id,
      format,
      found.provisioning === "thin",
    );
    if (made !== undefined) return job;
    const sidecar = newSnapshotSidecar(snapshot, format, found.sizeBytes);
    const sizeBytes = await this.#copy(context, listing, snapshot.owner, action, {
      source: source.object,
      writer: writerOf(found),
      reflink: found.provisioning === "thin",
      provisioning: "thin",
      sidecar,
    });
    if (sizeBytes === undefined) return job;
    return { state: "ready", record: snapshotRecord(sidecar, sizeBytes, this.#directory) };
  }

  async completeSnapshot(id: string, context: LockedContext): Promise<SnapshotRecord> {
    const listing = await this.#listing(context);
    const action = `finish snapshot ${id}`;
    const target = this.#snapshotTarget(listing, id, action);
    if (target.record.phase !== "creating") return target.record;
    const sizeBytes = await this.#complete(target, "thin", action, listing, context);
    return snapshotRecord(inPhase(target.sidecar, "unacknowledged"), sizeBytes, this.#directory);
  }

  async deleteSnapshot(id: string, owner: string, context: LockedContext): Promise<void> {
    const action = `delete snapshot ${id}`;
    const listing = await this.#listing(context);
    const { inventory } = listing;
    const record = ownRecord(inventory.snapshots, inventory, id, owner, action);
    if (record === undefined) return this.#sweep(context, listing, owner, action);
    refuseProtected(record, action);
    refuseSnapshotInUse(record, inventory, action);
    await this.#delete(this.#snapshotTarget(listing, id, action), action, listing, context);
  }

  async updateSnapshot(
    snapshot: SnapshotRecord,
    changes: Omit<MetadataChanges, "multiattach">,
    context: LockedContext,
  ): Promise<SnapshotRecord> {
    const action = `update ${describe("snapshot", snapshot)}`;
    const listing = await this.#listing(context);
    const { inventory } = listing;
    const record = ownRecord(inventory.snapshots, inventory, snapshot.id, snapshot.owner, action);
    if (record === undefined) throw this.#notFound("snapshot", snapshot.id, action, listing);
    const target = this.#snapshotTarget(listing, snapshot.id, action);
    const sidecar: SnapshotSidecar = {
      ...target.sidecar,
      fields: { ...target.sidecar.fields, ...given(changes) },
    };
    await this.#rewrite(target, sidecar, action, listing, context);
    return snapshotRecord(sidecar, record.sizeBytes, this.#directory);
  }

  async attachVolume(
    volume: VolumeRecord,
    attachment: Attachment,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const action = `attach ${describe("volume", volume)}`;
    const listing = await this.#listing(context);
    const target = this.#ownVolume(listing, volume, action);
    const { record } = target;
    refuseUnfinished(record, "volume", action);
    // Without a reflink a copy is of one point in time only while nobody writes.
    if (attachment.mode === "rw") refuseCopied(record, listing.inventory, action);
    // What a killed run attached for this same consumer is taken over; what a state knows of is that state's.
    const takenOver = (other: Attachment) =>
      other.id === attachment.id ||
      (!record.multiattach &&
        other.phase === "unacknowledged" &&
        sameConnector(other.connector, attachment.connector));
    const others = record.attachments.filter((other) => !takenOver(other));
    if (!record.multiattach) refuseSecondAttachment(others, action);
    return this.#rewriteVolume(target, { attachments: [...others, attachment] }, action, listing, context);
  }

  async detachVolume(
    volume: VolumeRecord,
    attachmentId: string,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const action = `detach ${describe("volume", volume)}`;
    const listing = await this.#listing(context);
    const target = this.#ownVolume(listing, volume, action);
    const attachments = target.record.attachments.filter(({ id }) => id !== attachmentId);
    if (attachments.length === target.record.attachments.length) return target.record;
    return this.#rewriteVolume(target, { attachments }, action, listing, context);
  }

  async acknowledge(ids: readonly string[], context: LockedContext): Promise<void> {
    const listing = await this.#listing(context);
    const wanted = new Set(ids);
    const action = `acknowledge ${ids.length} objects`;
    const lines = [...listing.sidecars].flatMap(([object, { sidecar, line }]) => {
      const acknowledged = acknowledgedSidecar(sidecar, wanted);
      return acknowledged === undefined ? [] : [object, line, metadataLine(acknowledged, action)];
    });
    if (lines.length === 0) return;
    await this.#change(context, listing, undefined, action, updateManyScript, { args: [], lines });
  }

  async #copyToVolume(
    volume: NewVolume,
    from: CopySource,
    action: string,
    context: LockedContext,
  ): Promise<Creation<VolumeRecord>> {
    const listing = await this.#listing(context);
    const { inventory } = listing;
    checkNew(volume, action);
    checkPool(volume, action);
    const source = this.#flatSource(listing, from.kind, from.record, action);
    const { format } = source.sidecar.fields;
    checkProvisioning(volume.provisioning, format, action);
    const sizeBytes = roundedSize(volume.sizeBytes, format);
    const made = ownRecord(inventory.volumes, inventory, volume.id, volume.owner, action);
    if (made !== undefined) {
      const sameSource = made.source?.kind === from.kind && made.source.id === from.record.id;
      refuseDifferent(sameSource && made.sizeBytes === sizeBytes, action);
      if (made.phase !== "creating") return { state: "ready", record: made };
    }
    if (sizeBytes < from.record.sizeBytes) {
      throw new StorageError({
        kind: "InvalidInput",
        action,
        reason: `its source has ${from.record.sizeBytes} bytes, so it cannot have ${sizeBytes}`,
        attribute: ["size"],
      });
    }
    // Thick means that writing never runs out of room: no block may be shared with anything.
    const reflink = volume.provisioning === "thin" && from.provisioning === "thin";
    const job = this.#copying(listing, source.object, "volume", volume.id, format, reflink);
    // What a killed run left half copied is simply copied on.
    if (made !== undefined) return job;
    const sourceOf = { kind: from.kind, id: from.record.id };
    const sidecar = newVolumeSidecar({ ...volume, source: sourceOf }, format, sizeBytes);
    const copied = await this.#copy(context, listing, volume.owner, action, {
      source: source.object,
      writer: from.kind === "volume" ? writerOf(from.record) : undefined,
      reflink,
      provisioning: volume.provisioning,
      sidecar,
    });
    if (copied === undefined) return job;
    return { state: "ready", record: volumeRecord(sidecar, copied, this.#directory) };
  }

  #copying(
    listing: Listing,
    source: ObjectName,
    kind: ObjectKind,
    id: string,
    format: FileFormat,
    reflink: boolean,
  ): Extract<Creation<never>, { state: "copying" }> {
    const argv = [
      ...["sh", "-c", copyJobScript, "breezeblock", this.#directory, listing.inventory.identity ?? ""],
      ...[`${source}.${format}`, objectName(kind, id), format, reflink ? "auto" : "never"],
    ];
    return { state: "copying", job: { ...this.copyJob(id), argv } };
  }

  /** Copies at once by reflink, and returns the size; `undefined` when a job has to copy, for which all is reserved. */
  async #copy(
    context: LockedContext,
    listing: Listing,
    owner: string,
    action: string,
    copy: {
      readonly source: ObjectName;
      /** An attachment that may write to the source meanwhile. */
      readonly writer: Attachment | undefined;
      readonly reflink: boolean;
      readonly provisioning: Provisioning;
      readonly sidecar: Sidecar;
    },
  ): Promise<number | undefined> {
    const { sidecar } = copy;
    const { id, format, createdSizeBytes } = sidecar.fields;
    const result = await this.#attempt(context, listing, owner, action, copyScript, {
      args: [
        `${copy.source}.${format}`,
        objectName(sidecar.kind, id),
        format,
        copy.provisioning,
        String(createdSizeBytes),
        copy.reflink ? "yes" : "no",
        copy.writer === undefined ? "yes" : "no",
      ],
      lines: [metadataLine(inPhase(sidecar, "creating"), action), metadataLine(sidecar, action)],
    });
    if (result.exitCode === exitCodes.needsCopy) return undefined;
    if (result.exitCode === exitCodes.cannotReflink && copy.writer !== undefined) {
      throw new StorageError({
        kind: "VolumeIsBusy",
        action,
        reason: `the source can be written to through ${describeAttachment(copy.writer)}, and a copy of one point in time of it is not possible here: ${wordsOf(result)}`,
        nextStep: "Detach it first, or keep the directory on a file system with reflinks (XFS, Btrfs).",
        host: context.executor.host,
        backend: this.#backend,
      });
    }
    if (result.exitCode !== 0) throw this.#failure(context, action, result);
    return this.#parseSize(result.stdout, action, context);
  }

  async #complete(
    target: Target<Sidecar, ObjectRecord>,
    provisioning: Provisioning,
    action: string,
    listing: Listing,
    context: LockedContext,
  ): Promise<number> {
    const { fields } = target.sidecar;
    const { stdout } = await this.#change(context, listing, fields.owner, action, completeScript, {
      args: [target.object, fields.format, provisioning, String(fields.createdSizeBytes)],
      lines: [target.line, metadataLine(inPhase(target.sidecar, "unacknowledged"), action)],
    });
    return this.#parseSize(stdout, action, context);
  }

  async #delete(
    target: Target<Sidecar, ObjectRecord>,
    action: string,
    listing: Listing,
    context: LockedContext,
  ): Promise<void> {
    await this.#change(context, listing, target.record.owner, action, deleteScript, {
      args: [target.object, target.sidecar.fields.format],
      lines: [target.line],
    });
  }

  async #rewriteVolume(
    target: Target<VolumeSidecar, VolumeRecord>,
    changes: Partial<VolumeSidecar["fields"]>,
    action: string,
    listing: Listing,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const sidecar: VolumeSidecar = {
      ...target.sidecar,
      fields: { ...target.sidecar.fields, ...changes },
    };
    await this.#rewrite(target, sidecar, action, listing, context);
    return volumeRecord(sidecar, target.record.sizeBytes, this.#directory);
  }

  async #rewrite(
    target: Target<Sidecar, ObjectRecord>,
    sidecar: Sidecar,
    action: string,
    listing: Listing,
    context: LockedContext,
  ): Promise<void> {
    await this.#change(context, listing, target.record.owner, action, updateScript, {
      args: [target.object],
      lines: [target.line, metadataLine(sidecar, action)],
    });
  }

  /** Removes what is left of objects that are gone already. Usually there is nothing, and no command runs. */
  async #sweep(context: LockedContext, listing: Listing, owner: string, action: string): Promise<void> {
    if (leftovers(listing, owner).length === 0) return;
    await this.#change(context, listing, owner, action, sweepScript, { args: [], lines: [] });
  }

  #ownVolume(listing: Listing, volume: VolumeRecord, action: string): Target<VolumeSidecar, VolumeRecord> {
    const { inventory } = listing;
    const record = ownRecord(inventory.volumes, inventory, volume.id, volume.owner, action);
    if (record === undefined) throw this.#notFound("volume", volume.id, action, listing);
    return this.#volumeTarget(listing, volume.id, action);
  }

  #volumeTarget(listing: Listing, id: string, action: string): Target<VolumeSidecar, VolumeRecord> {
    const object = objectName("volume", id);
    const record = listing.inventory.volumes.get(id);
    const stored = listing.sidecars.get(object);
    if (record === undefined || stored?.sidecar.kind !== "volume") {
      throw this.#notFound("volume", id, action, listing);
    }
    return { object, record, sidecar: stored.sidecar, line: stored.line };
  }

  #snapshotTarget(listing: Listing, id: string, action: string): Target<SnapshotSidecar, SnapshotRecord> {
    const object = objectName("snapshot", id);
    const record = listing.inventory.snapshots.get(id);
    const stored = listing.sidecars.get(object);
    if (record === undefined || stored?.sidecar.kind !== "snapshot") {
      throw this.#notFound("snapshot", id, action, listing);
    }
    return { object, record, sidecar: stored.sidecar, line: stored.line };
  }

  #flatSource(
    listing: Listing,
    kind: ObjectKind,
    record: VolumeRecord | SnapshotRecord,
    action: string,
  ): Target<Sidecar, ObjectRecord> {
    const target =
      kind === "volume"
        ? this.#volumeTarget(listing, record.id, action)
        : this.#snapshotTarget(listing, record.id, action);
    if (listing.notFlat.has(target.object)) {
      throw new StorageError({
        kind: "VolumeBackendError",
        action,
        reason: `${record.location} takes content from another file (backing or external data file)`,
        nextStep: `Make it whole with "qemu-img rebase -b ''" or "qemu-img convert" first.`,
        backend: this.#backend,
      });
    }
    return target;
  }

  /** A damaged object is not "not found": it is there, and cannot be used. */
  #notFound(kind: ObjectKind, id: string, action: string, listing: Listing): StorageError {
    const damage = listing.inventory.damaged.get(id);
    return new StorageError({
      kind:
        damage !== undefined
          ? "VolumeBackendError"
          : kind === "volume"
            ? "VolumeNotFound"
            : "SnapshotNotFound",
      action,
      reason: damage?.reason ?? `there is no ${kind} ${id} in ${this.#directory}`,
      backend: this.#backend,
    });
  }

  /** Runs a script that changes something; a failure is thrown. */
  async #change(
    context: LockedContext,
    listing: Listing,
    owner: string | undefined,
    action: string,
    script: string,
    input: ScriptInput,
  ): Promise<CommandResult> {
    const result = await this.#attempt(context, listing, owner, action, script, input);
    if (result.exitCode !== 0) throw this.#failure(context, action, result);
    return result;
  }

  async #attempt(
    context: LockedContext,
    listing: Listing,
    owner: string | undefined,
    action: string,
    script: string,
    { args, lines }: ScriptInput,
  ): Promise<CommandResult> {
    const { identity } = listing.inventory;
    if (identity === null) {
      throw new StorageError({
        kind: "BackendIdentityMismatch",
        action,
        reason: `the directory ${this.#directory} has no identity marker`,
        nextStep: "Make sure that the right file system is mounted there.",
        backend: this.#backend,
        host: context.executor.host,
      });
    }
    return context.executor.run(
      [
        ...["sh", "-c", script, "breezeblock", this.#directory, identity],
        ...args,
        ...leftovers(listing, owner),
      ],
      { stdin: lines.map((line) => `${line}\n`).join(""), signal: context.signal },
    );
  }

  /** Runs a script that changes nothing that anybody else has; a failure is thrown. */
  async #run(
    context: OperationContext,
    action: string,
    script: string,
    args: readonly Argument[],
  ): Promise<CommandResult> {
    const result = await context.executor.run(["sh", "-c", script, "breezeblock", ...args], {
      signal: context.signal,
    });
    if (result.exitCode !== 0) throw this.#failure(context, action, result);
    return result;
  }

  #failure(context: OperationContext, action: string, result: CommandResult): StorageError {
    return new StorageError({
      kind: result.exitCode === exitCodes.identityMismatch ? "BackendIdentityMismatch" : "VolumeBackendError",
      action,
      reason: wordsOf(result),
      backend: this.#backend,
      host: context.executor.host,
    });
  }

  #understand<T>(action: string, context: OperationContext, parse: () => T): T {
    try {
      return parse();
    } catch (cause) {
      throw new StorageError({
        kind: "VolumeBackendError",
        action,
        reason: cause instanceof Error ? cause.message : String(cause),
        backend: this.#backend,
        host: context.executor.host,
        cause,
      });
    }
  }

  #parseSize(stdout: Buffer, action: string, context: OperationContext): number {
    return this.#understand(action, context, () => {
      const text = stdout.toString("latin1").trim();
      if (!/^\d+$/.test(text)) throw new Error(`the new size is not known: ${JSON.stringify(text)}`);
      return Number(text);
    });
  }
}

interface ScriptInput {
  readonly args: readonly string[];
  /** Given on standard input, one a line. */
  readonly lines: readonly string[];
}

type CopySource = { readonly provisioning: Provisioning } & (
  | { readonly kind: "volume"; readonly record: VolumeRecord }
  | { readonly kind: "snapshot"; readonly record: SnapshotRecord }
);

/** What killed commands left, for the next mutation to remove; metadata without data only by its owner. */
function leftovers(listing: Listing, owner: string | undefined): readonly string[] {
  const stale = listing.stale.filter((left) => left.owner === owner).map(({ object }) => object);
  return [...listing.halfMade, ...stale].slice(0, sweptAtOnce);
}

function wordsOf(result: CommandResult): string {
  const words = result.stderr.toString("utf8").trim();
  return words === "" ? `the command ended with exit code ${result.exitCode}` : words;
}

function roundedSize(sizeBytes: number, format: FileFormat): number {
  return format === "qcow2" ? Math.ceil(sizeBytes / sectorBytes) * sectorBytes : sizeBytes;
}

function checkNew(object: NewVolume | NewSnapshot, action: string): void {
  if (!isId(object.id)) {
    throw new StorageError({
      kind: "InvalidInput",
      action,
      reason: `${JSON.stringify(object.id)} is not a UUID in lower case`,
    });
  }
  if ("sizeBytes" in object) checkSize(object.sizeBytes, action);
}

function checkSize(sizeBytes: number, action: string): void {
  if (Number.isSafeInteger(sizeBytes) && sizeBytes > 0) return;
  throw new StorageError({
    kind: "InvalidInput",
    action,
    reason: `${sizeBytes} is not a size in bytes`,
    attribute: ["size"],
  });
}

function checkPool(volume: NewVolume, action: string): void {
  if (volume.pool === null || volume.pool === poolName) return;
  throw new StorageError({
    kind: "InvalidInput",
    action,
    reason: `a directory has no pool ${JSON.stringify(volume.pool)}, only ${JSON.stringify(poolName)}`,
    attribute: ["backend"],
  });
}

function checkProvisioning(provisioning: Provisioning, format: FileFormat, action: string): void {
  if (provisioning === "thin" || format === "raw") return;
  throw new StorageError({
    kind: "NotSupported",
    action,
    reason: `a ${format} file cannot be provisioned ${provisioning}`,
    nextStep: 'Use provisioning = "thin", or a backend with format = "raw".',
    attribute: ["provisioning"],
  });
}

/** Throws `InvalidInput` for more than the listing would read again. */
function metadataLine(sidecar: Sidecar, action: string): string {
  const line = formatSidecar(sidecar);
  if (line.length <= longestMetadata) return line;
  throw new StorageError({
    kind: "InvalidInput",
    action,
    reason: `its metadata would take ${line.length} bytes, and ${longestMetadata} is the most`,
    nextStep: "Use fewer or shorter labels.",
    attribute: ["labels"],
  });
}

function newVolumeSidecar(volume: NewVolume, format: FileFormat, createdSizeBytes: number): VolumeSidecar {
  return {
    kind: "volume",
    fields: {
      ...commonFields(volume, format, createdSizeBytes),
      provisioning: volume.provisioning,
      multiattach: volume.multiattach,
      source: volume.source,
      attachments: [],
    },
    unknown: {},
  };
}

function newSnapshotSidecar(
  snapshot: NewSnapshot,
  format: FileFormat,
  createdSizeBytes: number,
): SnapshotSidecar {
  return {
    kind: "snapshot",
    fields: { ...commonFields(snapshot, format, createdSizeBytes), volumeId: snapshot.volumeId },
    unknown: {},
  };
}

function commonFields(object: NewVolume | NewSnapshot, format: FileFormat, createdSizeBytes: number) {
  return {
    id: object.id,
    name: object.name,
    owner: object.owner,
    phase: "unacknowledged" as const,
    format,
    createdSizeBytes,
    labels: object.labels,
    defaultLabels: object.defaultLabels,
    deletionProtection: object.deletionProtection,
    settings: object.settings,
    createdAt: object.createdAt,
  };
}

function inPhase<S extends Sidecar>(sidecar: S, phase: Phase): S {
  return { ...sidecar, fields: { ...sidecar.fields, phase } };
}

/** The sidecar with those of `ids` acknowledged that stand in it; `undefined` when that changes nothing. */
function acknowledgedSidecar(sidecar: Sidecar, ids: ReadonlySet<string>): Sidecar | undefined {
  const { fields } = sidecar;
  const object =
    ids.has(fields.id) && fields.phase === "unacknowledged" ? inPhase(sidecar, "acknowledged") : undefined;
  if (sidecar.kind === "snapshot") return object;
  const fresh = (attachment: Attachment) => ids.has(attachment.id) && attachment.phase === "unacknowledged";
  if (!sidecar.fields.attachments.some(fresh)) return object;
  const attachments = sidecar.fields.attachments.map((attachment) =>
    fresh(attachment) ? { ...attachment, phase: "acknowledged" as const } : attachment,
  );
  const phase = object === undefined ? fields.phase : "acknowledged";
  return { ...sidecar, fields: { ...sidecar.fields, phase, attachments } };
}

/** An attachment through which the volume can change at any time. */
function writerOf(volume: VolumeRecord): Attachment | undefined {
  return volume.attachments.find(({ mode }) => mode === "rw");
}

function sameConnector(one: Connector, other: Connector): boolean {
  return (
    one.host === other.host &&
    one.initiator === other.initiator &&
    one.nqn === other.nqn &&
    one.ip === other.ip
  );
}

/** The changes that are there: a field that is `undefined` stays as it is. */
function given<T extends object>(changes: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
