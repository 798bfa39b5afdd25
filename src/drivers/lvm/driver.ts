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
import { allocate, type Shape, snapshotOf } from "./allocation.ts";
import { checkVolumeGroup } from "./checks.ts";
import { clearJob, copyJob, deviceUuid, type JobDevice, jobPurposes, jobReference } from "./jobs.ts";
import { helpersIn } from "./leftovers.ts";
import { cowSnapshotsOf, forget, helperOf, keep, type StoredObject, type VolumeMetadata } from "./listing.ts";
import { listManageable } from "./manageable.ts";
import { acknowledged, newSnapshotMetadata, newVolumeMetadata, whole } from "./metadata.ts";
import {
  devicePath,
  imageCacheDirectory,
  imagesDirectory,
  isLvmName,
  jobsDirectory,
  lockFileOf,
  logicalVolumeName,
  parseLogicalVolumeName,
} from "./names.ts";
import { defectOf, isCowSnapshot, isThinVolume, type LogicalVolume } from "./report.ts";
import {
  checkNew,
  checkSize,
  cowExtents,
  poolFor,
  requireMetadataRoom,
  requirePoolRoom,
  roundedUp,
} from "./requests.ts";
import { Reverts } from "./reverts.ts";
import {
  activateScript,
  changeManyScript,
  changeScript,
  growOntoScript,
  growScript,
  removeScript,
  retagScript,
  splitScript,
} from "./scripts.ts";
import { adoptable, removable, tagged, unchanged, unused } from "./selections.ts";
import { statsOf } from "./stats.ts";
import { helperTags, isOurs, type Metadata, ownerTagOf, phaseTag, tagsOf } from "./tags.ts";
import { type Operation, VolumeGroupOnHost } from "./volume-group.ts";

export interface LvmDriverSettings {
  /** The backend's name in the configuration, for messages. */
  readonly backend: string;
  readonly volumeGroup: string;
  /** Where thin volumes go; `null`: all volumes are thick. */
  readonly thinPool: string | null;
  /** `none`: the volume group's free space is said to hold nobody's data; what is deleted is cleared, so that this stays so. */
  readonly volumeClear: "zero" | "none";
  /** How fast thick volumes are cleared at most; as fast as it goes where it is left out. */
  readonly volumeClearMiBPerSecond?: number | undefined;
  /** Space of a thick volume's snapshot for what is written over meanwhile, in percent of the volume; default 20. */
  readonly snapshotSizePercent?: number | undefined;
}

/**
 * A driver for an LVM volume group on one host: thin volumes in its thin pool, thick ones in the group itself.
 * docs/adr/0008 describes what is kept where, and why each step stands where it does.
 */
export function createLvmDriver(settings: LvmDriverSettings): VolumeDriver {
  return new LvmDriver(settings);
}

type Stored = StoredObject;
type StoredVolume = StoredObject<VolumeMetadata>;

/** Acknowledging this many at once keeps a command line short. */
const retaggedAtOnce = 1000;
type HelperRole = "source" | "extension";
const helperRoles: readonly HelperRole[] = ["source", "extension"];

class LvmDriver implements VolumeDriver, FillsVolumes, ManagesExisting, RevertsToSnapshot, KeepsLeftovers {
  readonly technology = "lvm";
  readonly version = "1.0.0";
  readonly features: DriverFeatures;
  readonly lockFile: string;
  readonly #settings: LvmDriverSettings;
  readonly #group: VolumeGroupOnHost;
  readonly #reverts: Reverts;

  constructor(settings: LvmDriverSettings) {
    this.#settings = settings;
    this.#group = new VolumeGroupOnHost(settings.volumeGroup, settings.backend);
    this.#reverts = new Reverts({
      group: this.#group,
      rewrite: (operation, stored, changed, selection) =>
        this.#rewrite(operation, stored, changed, selection),
      make: (operation, metadata, shape) => this.#make(operation, metadata, shape),
      cowExtents: (operation, origin, own) => this.#cowExtents(origin, own, operation),
      jobDevice: (operation, volume) => this.#jobDevice(volume, operation),
    });
    this.lockFile = lockFileOf(settings.volumeGroup);
    this.features = {
      provisioning: settings.thinPool === null ? ["thick"] : ["thin", "thick"],
      multiattach: true,
      onlineExtend: true,
      // A copy-on-write snapshot goes with its origin; a thin one is a thin volume of its own.
      snapshotsOutlive: settings.thinPool === null ? [] : ["thin"],
    };
  }

  async doSetup(): Promise<void> {
    const { backend, volumeGroup, thinPool } = this.#settings;
    const { volumeClearMiBPerSecond: rate, snapshotSizePercent: percent } = this.#settings;
    const wrong = (setting: string, value: unknown, reason: string) =>
      new StorageError({
        kind: "InvalidConfiguration",
        action: `use ${JSON.stringify(value)} as ${setting}`,
        reason,
        backend,
        attribute: ["backends", backend, "lvm", setting],
      });
    const badName = "LVM's names are made of letters, digits and _ + . -, and do not begin with -";
    if (!isLvmName(volumeGroup)) throw wrong("volume_group", volumeGroup, badName);
    if (thinPool !== null && !isLvmName(thinPool)) throw wrong("thin_pool", thinPool, badName);
    if (rate !== undefined && !(Number.isSafeInteger(rate) && rate > 0)) {
      throw wrong("volume_clear_mib_per_second", rate, "it is not a whole number above 0");
    }
    if (percent !== undefined && !(percent > 0)) {
      throw wrong("snapshot_size_percent", percent, "it is not a number above 0");
    }
  }

  async checkForSetupError(context: OperationContext): Promise<Inventory | null> {
    const { volumeGroup, thinPool } = this.#settings;
    const action = `use the volume group ${volumeGroup}`;
    const group = await this.#group.examine(context, action, thinPool !== null);
    checkVolumeGroup(group, thinPool, action);
    return this.#group.seen(group);
  }

  async inventory(context: OperationContext): Promise<Inventory> {
    const { identity, volumes, snapshots, damaged, unidentified } = await this.#group.list(context);
    // Copies: the listing itself goes on changing with what is written under the same lock.
    return { identity, volumes: new Map(volumes), snapshots: new Map(snapshots), damaged, unidentified };
  }

  async getVolumeStats(context: OperationContext): Promise<DriverStats> {
    const group = await this.#group.measure(context);
    return {
      ...statsOf(group, this.#settings.thinPool),
      driver_version: this.version,
      multiattach: this.features.multiattach,
      online_extend_support: this.features.onlineExtend,
      location_info: `lvm:${context.executor.host}:${group.name}:${group.uuid}`,
    };
  }

  /** A volume group's identity is its UUID, which it has from the beginning. */
  async establishIdentity(context: OperationContext): Promise<string> {
    return (await this.#group.measure(context)).uuid;
  }

  async createVolume(volume: NewVolume, context: LockedContext): Promise<Work<VolumeRecord>> {
    const action = `create ${describe("volume", volume)}`;
    checkNew(volume, action);
    const { operation, pool, sizeBytes, made } = await this.#beginCreation(
      { ...volume, source: null },
      context,
      action,
    );
    if (made !== undefined) {
      if (made.metadata.phase !== "creating") return ready(this.#volumeRecord(operation, made));
      // Whatever is asked for now: it was being cleared, and may be still. What is whole must never be cleared.
      return { state: "working", job: this.#clearJob("clear", volume.id, made.volume, operation) };
    }
    const clears = volume.provisioning === "thick" && this.#clearsNew();
    const metadata = newVolumeMetadata({ ...volume, source: null }, clears ? "creating" : "unacknowledged");
    const shape = emptyShape(volume.provisioning, pool, sizeBytes);
    const stored = await this.#make(operation, metadata, shape);
    if (!clears) return ready(this.#volumeRecord(operation, stored));
    return { state: "working", job: this.#clearJob("clear", volume.id, stored.volume, operation) };
  }

  async reserveVolume(volume: NewVolume, context: LockedContext): Promise<VolumeRecord> {
    const action = `reserve ${describe("volume", volume)}`;
    checkNew(volume, action);
    const asked = { ...volume, source: null };
    const { operation, pool, sizeBytes, made } = await this.#beginCreation(asked, context, action);
    if (made !== undefined) return this.#volumeRecord(operation, made);
    const metadata = { ...newVolumeMetadata(asked, "creating"), isFilled: true };
    const shape = emptyShape(volume.provisioning, pool, sizeBytes);
    return this.#volumeRecord(operation, await this.#make(operation, metadata, shape));
  }

  async contentOf(volume: VolumeRecord, context: LockedContext): Promise<VolumeContent> {
    await this.activateVolume(volume, context);
    const action = `reach the content of ${describe("volume", volume)}`;
    const operation = await this.#group.begin(action, context);
    const stored = this.#ownVolume(operation, volume);
    const path = devicePath(this.#group.name, stored.volume.name);
    return {
      format: "block",
      path,
      sizeBytes: stored.volume.sizeBytes,
      isZeroed: isThinVolume(stored.volume),
      proof: { path, text: deviceUuid(this.#jobDevice(stored.volume, operation)) },
    };
  }

  async snapshotContentOf(snapshot: SnapshotRecord, context: LockedContext): Promise<VolumeContent> {
    const action = `reach the content of ${describe("snapshot", snapshot)}`;
    const operation = await this.#group.begin(action, context);
    const { volume } = this.#stored(operation, "snapshot", snapshot.id);
    const path = devicePath(this.#group.name, volume.name);
    await this.#group.change(operation, activateScript, [path]);
    return {
      format: "block",
      path,
      // A copy-on-write snapshot's own size is that of what it keeps.
      sizeBytes: snapshot.sizeBytes,
      isZeroed: false,
      proof: { path, text: deviceUuid(this.#jobDevice(volume, operation)) },
    };
  }

  fillingJob(id: string): JobReference {
    return jobReference("copy", id);
  }

  async createVolumeFromSnapshot(
    volume: NewVolume,
    snapshot: SnapshotRecord,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const action = `create ${describe("volume", volume)} from ${describe("snapshot", snapshot)}`;
    const operation = await this.#group.begin(action, context);
    const source = this.#stored(operation, "snapshot", snapshot.id);
    const { broken } = requireRecord(operation.listing.snapshots, snapshot.id);
    refuseUnfinished(source.metadata, "snapshot", action);
    if (broken !== undefined) {
      throw new StorageError({
        kind: "VolumeBackendError",
        action,
        reason: `the snapshot ${this.#group.name}/${source.volume.name} cannot be read: ${broken}`,
        nextStep:
          "Delete it. The next one has more room with a larger snapshot_size_percent, or when less is written meanwhile.",
      });
    }
    return this.#copyToVolume(volume, source, context, action);
  }

  async createClonedVolume(
    volume: NewVolume,
    source: VolumeRecord,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const action = `create ${describe("volume", volume)} from ${describe("volume", source)}`;
    const operation = await this.#group.begin(action, context);
    const stored = this.#stored(operation, "volume", source.id);
    refuseUnfinished(stored.metadata, "volume", action);
    return this.#copyToVolume(volume, stored, context, action);
  }

  async reserveForImage(volume: NewVolume, context: LockedContext): Promise<FillTarget> {
    const action = `create ${describe("volume", volume)} from an image`;
    checkNew(volume, action);
    const asked = { ...volume, source: null };
    const { operation, pool, sizeBytes, made } = await this.#beginCreation(asked, context, action);
    refuseDifferent(made === undefined || made.metadata.phase === "creating", action);
    const isThin = volume.provisioning === "thin";
    // What was written to it is no part of what is written now, and zeros are not written at all.
    if (made !== undefined && isThin) await this.#remove(operation, made);
    const stored =
      made !== undefined && !isThin
        ? made
        : await this.#make(
            operation,
            { ...newVolumeMetadata(asked, "creating"), isFilled: true },
            emptyShape(volume.provisioning, pool, sizeBytes),
          );
    return {
      kind: "device",
      path: devicePath(this.#group.name, stored.volume.name),
      deviceUuid: deviceUuid(this.#jobDevice(stored.volume, operation)),
      isZeroed: isThin,
      jobsDirectory,
      stagingDirectory: this.stagingDirectory(operation.listing.identity),
    };
  }

  stagingDirectory(identity: string): string {
    return `${imagesDirectory}/${identity}`;
  }

  imageCacheDirectory(identity: string): string {
    return `${imageCacheDirectory}/${identity}`;
  }

  jobsOf(id: string): readonly JobReference[] {
    return jobPurposes.map((purpose) => jobReference(purpose, id));
  }

  async completeVolume(id: string, context: LockedContext): Promise<VolumeRecord> {
    const operation = await this.#group.begin(`finish volume ${id}`, context);
    const stored = this.#storedVolume(operation, id);
    if (stored.metadata.phase !== "creating") return this.#volumeRecord(operation, stored);
    const source = helperOf(operation.listing, id, "source");
    if (source !== undefined) await this.#removeHelper(operation, source);
    return this.#finish(operation, stored);
  }

  async deleteVolume(id: string, owner: string, context: LockedContext): Promise<Work<null>> {
    const action = `delete volume ${id}`;
    const operation = await this.#group.begin(action, context);
    const { listing } = operation;
    const record = ownRecord(listing.volumes, listing, id, owner, action);
    if (record === undefined) {
      await this.#removeStray(operation, id, owner);
      return { state: "ready", record: null };
    }
    const stored = this.#storedVolume(operation, id);
    if (record.phase !== "deleting") {
      refuseProtected(record, action);
      refuseInUse(record, listing, action);
    }
    this.#refuseCowSnapshots(operation, stored.volume);
    return this.#beginRemoval(operation, stored);
  }

  async completeDeletion(id: string, owner: string, context: LockedContext): Promise<void> {
    const action = `finish the deletion of ${id}`;
    const operation = await this.#group.begin(action, context);
    const { listing } = operation;
    const records = listing.snapshots.has(id) ? listing.snapshots : listing.volumes;
    const record = ownRecord<ObjectRecord>(records, listing, id, owner, action);
    const stored = listing.stored.get(id);
    if (record === undefined || stored === undefined) return;
    if (record.phase !== "deleting") {
      throw new StorageError({
        kind: "VolumeBackendError",
        action,
        reason: `its deletion was never begun; it is in phase ${record.phase}`,
      });
    }
    await this.#remove(operation, stored);
  }

  async extendVolume(
    volume: VolumeRecord,
    sizeBytes: number,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const { operation, stored, extents } = await this.#beginExtension(volume, sizeBytes, context);
    const { listing, action } = operation;
    const reservation = helperOf(listing, volume.id, "extension");
    const added = (extents - extentsOf(stored.volume, operation)) * listing.group.extentBytes;
    const clears = !isThinVolume(stored.volume) && this.#clearsNew();
    if (reservation !== undefined && !(clears && reservation.sizeBytes === added)) {
      await this.#removeHelper(operation, reservation);
    }
    if (added === 0) return ready(this.#volumeRecord(operation, stored));
    refuseCopied(requireRecord(listing.volumes, volume.id), listing, action);
    this.#refuseCowSnapshots(operation, stored.volume);
    if (!clears) {
      if (isThinVolume(stored.volume)) requirePoolRoom(listing, stored.volume.pool, action);
      await this.#group.change(operation, growScript, [
        ...[this.#nameOf(stored.volume), unchanged(stored.volume), String(extents)],
      ]);
      return ready(this.#keepSize(operation, stored, extents));
    }
    const cleared =
      helperOf(listing, volume.id, "extension") ??
      (await this.#makeHelper(operation, stored.metadata, "extension", { kind: "linear", sizeBytes: added }));
    return { state: "working", job: this.#clearJob("extend", volume.id, cleared, operation) };
  }

  async completeExtension(
    volume: VolumeRecord,
    sizeBytes: number,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const { operation, stored, extents } = await this.#beginExtension(volume, sizeBytes, context);
    const { listing, action } = operation;
    const reservation = helperOf(listing, volume.id, "extension");
    const added = extents - extentsOf(stored.volume, operation);
    if (added === 0) {
      if (reservation !== undefined) await this.#removeHelper(operation, reservation);
      return this.#volumeRecord(operation, stored);
    }
    if (reservation === undefined || reservation.sizeBytes !== added * listing.group.extentBytes) {
      throw new StorageError({
        kind: "VolumeBackendError",
        action,
        reason: "the space that was cleared for it is not there any more",
        nextStep: "Run again: other space is then reserved and cleared.",
      });
    }
    this.#refuseCowSnapshots(operation, stored.volume);
    await this.#group.change(operation, growOntoScript, [
      ...[this.#nameOf(stored.volume), unchanged(stored.volume)],
      ...[this.#nameOf(reservation), unchanged(reservation), String(added)],
    ]);
    this.#forgetHelper(operation, reservation);
    return this.#keepSize(operation, stored, extents);
  }

  async activateVolume(volume: VolumeRecord, context: LockedContext): Promise<void> {
    const operation = await this.#group.begin(`activate ${describe("volume", volume)}`, context);
    const stored = this.#ownVolume(operation, volume);
    await this.#group.change(operation, activateScript, [devicePath(this.#group.name, stored.volume.name)]);
  }

  async updateVolume(
    volume: VolumeRecord,
    changes: MetadataChanges,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const action = `update ${describe("volume", volume)}`;
    const operation = await this.#group.begin(action, context);
    const stored = this.#ownVolume(operation, volume);
    const { attachments } = stored.metadata;
    if (changes.multiattach === false && attachments.length > 1) {
      throw new StorageError({
        kind: "VolumeIsBusy",
        action,
        reason: `it has ${attachments.length} attachments, so multiattach has to stay`,
        nextStep: "Detach all but one first.",
      });
    }
    return this.#rewriteVolume(operation, stored, given(changes));
  }

  async createSnapshot(
    snapshot: NewSnapshot,
    volume: VolumeRecord,
    context: LockedContext,
  ): Promise<Work<SnapshotRecord>> {
    const action = `create ${describe("snapshot", snapshot)} of ${describe("volume", volume)}`;
    checkNew(snapshot, action);
    const operation = await this.#group.begin(action, context);
    const { listing } = operation;
    const made = ownRecord(listing.snapshots, listing, snapshot.id, snapshot.owner, action);
    if (made !== undefined) {
      refuseDifferent(made.volumeId === volume.id, action);
      refuseUnfinished(made, "snapshot", action);
      return { state: "ready", record: made };
    }
    const origin = this.#storedVolume(operation, volume.id);
    refuseUnfinished(origin.metadata, "volume", action);
    const metadata = newSnapshotMetadata({ ...snapshot, volumeId: volume.id }, "unacknowledged");
    const extents = this.#cowExtents(origin.volume, snapshot.settings, operation);
    await this.#make(operation, metadata, snapshotOf(origin.volume, false, extents));
    return ready(requireRecord(listing.snapshots, snapshot.id));
  }

  /** Snapshots are made at once. */
  async completeSnapshot(id: string, context: LockedContext): Promise<SnapshotRecord> {
    const operation = await this.#group.begin(`finish snapshot ${id}`, context);
    this.#stored(operation, "snapshot", id);
    return requireRecord(operation.listing.snapshots, id);
  }

  async deleteSnapshot(id: string, owner: string, context: LockedContext): Promise<Work<null>> {
    const action = `delete snapshot ${id}`;
    const operation = await this.#group.begin(action, context);
    const { listing } = operation;
    const record = ownRecord(listing.snapshots, listing, id, owner, action);
    if (record === undefined) return { state: "ready", record: null };
    if (record.phase !== "deleting") {
      refuseProtected(record, action);
      refuseSnapshotInUse(record, listing, action);
    }
    return this.#beginRemoval(operation, this.#stored(operation, "snapshot", id));
  }

  async updateSnapshot(
    snapshot: SnapshotRecord,
    changes: Omit<MetadataChanges, "multiattach" | "formatted">,
    context: LockedContext,
  ): Promise<SnapshotRecord> {
    const operation = await this.#group.begin(`update ${describe("snapshot", snapshot)}`, context);
    const { listing, action } = operation;
    ownRecord(listing.snapshots, listing, snapshot.id, snapshot.owner, action);
    const stored = this.#stored(operation, "snapshot", snapshot.id);
    await this.#rewrite(operation, stored, { ...stored.metadata, ...given(changes) });
    return requireRecord(listing.snapshots, snapshot.id);
  }

  checkRevert(volume: VolumeRecord): void {
    const { name, id, provisioning } = volume;
    if (provisioning === "thin") {
      refuseReplacing(volume);
      return;
    }
    if (this.#clearsNew()) return;
    throw new StorageError({
      kind: "NotSupported",
      action: `put ${describe("volume", { name, id })} back to a snapshot`,
      reason:
        "the backend's volume_clear is none, so that its free space must hold nobody's data, " +
        "and putting a thick volume back frees space that is not cleared",
      nextStep: "Make a new volume of the snapshot: source = { snapshot_id = … }.",
      attribute: ["restore"],
    });
  }

  async revertToSnapshot(
    volume: VolumeRecord,
    snapshot: SnapshotRecord,
    revert: Revert,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const action = `put ${describe("volume", volume)} back to ${describe("snapshot", snapshot)}`;
    const operation = await this.#group.begin(action, context);
    return this.#reverts.begin(operation, this.#ownVolume(operation, volume), snapshot.id, revert);
  }

  async completeRevert(
    volume: VolumeRecord,
    snapshot: SnapshotRecord,
    revert: Revert,
    context: LockedContext,
  ): Promise<Work<VolumeRecord>> {
    const action = `put ${describe("volume", volume)} back to ${describe("snapshot", snapshot)}`;
    const operation = await this.#group.begin(action, context);
    return this.#reverts.complete(operation, this.#ownVolume(operation, volume), snapshot.id, revert);
  }

  async abandonRevert(volume: VolumeRecord, context: LockedContext): Promise<VolumeRecord> {
    // What a merge has come to since the last look matters.
    await this.#group.list(context);
    const operation = await this.#group.begin(`leave ${describe("volume", volume)} as it is`, context);
    return this.#reverts.abandon(operation, this.#ownVolume(operation, volume));
  }

  async attachVolume(
    volume: VolumeRecord,
    attachment: Attachment,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const action = `attach ${describe("volume", volume)}`;
    const operation = await this.#group.begin(action, context);
    const stored = this.#ownVolume(operation, volume);
    const { metadata } = stored;
    refuseUnfinished(metadata, "volume", action);
    const attachments = withAttachment(metadata, attachment, action);
    return this.#rewriteVolume(operation, stored, { attachments });
  }

  async detachVolume(
    volume: VolumeRecord,
    attachmentId: string,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const operation = await this.#group.begin(`detach ${describe("volume", volume)}`, context);
    const stored = this.#ownVolume(operation, volume);
    const attachments = stored.metadata.attachments.filter(({ id }) => id !== attachmentId);
    return this.#rewriteVolume(operation, stored, { attachments });
  }

  async acknowledge(ids: readonly string[], context: LockedContext): Promise<void> {
    const operation = await this.#group.begin(`acknowledge ${ids.length} objects`, context);
    const wanted = new Set(ids);
    const changes = [...operation.listing.stored.values()].flatMap((stored) => {
      const changed = acknowledged(stored.metadata, wanted);
      return changed === undefined
        ? []
        : [{ stored, changed, ...this.#tagChanges(operation, stored, changed) }];
    });
    const [old, fresh] = [phaseTag("unacknowledged"), phaseTag("acknowledged")];
    const plain = changes.filter(({ off, on }) => off.join() === old && on.join() === fresh);
    for (let at = 0; at < plain.length; at += retaggedAtOnce) {
      const names = plain.slice(at, at + retaggedAtOnce).map(({ stored }) => this.#nameOf(stored.volume));
      const timeoutMs = patience(names.length);
      await this.#group.change(operation, retagScript, [tagged([old]), old, fresh, ...names], { timeoutMs });
    }
    const others = changes.filter((change) => !plain.includes(change));
    if (others.length > 0) {
      const lines = others.flatMap(({ stored, off, on }) => [
        ...[this.#nameOf(stored.volume), unchanged(stored.volume), off.join(" "), on.join(" ")],
      ]);
      const options = { stdin: `${lines.join("\n")}\n`, timeoutMs: patience(others.length) };
      await this.#group.change(operation, changeManyScript, [], options);
    }
    for (const { stored, changed } of changes) this.#keep(operation, stored, changed);
  }

  async listManageableVolumes(context: OperationContext): Promise<ManageableListing> {
    const listing = await this.#group.list(context);
    const volumes = await listManageable(this.#group, this.#settings.thinPool, context, listing);
    return { identity: listing.identity, volumes };
  }

  async manageExisting(
    volume: ExistingVolume,
    reference: string,
    context: LockedContext,
  ): Promise<VolumeRecord> {
    const action = `manage the logical volume ${reference}`;
    checkNew({ ...volume, pool: null, source: null }, action);
    const operation = await this.#group.begin(action, context);
    const { listing } = operation;
    const made = ownRecord(listing.volumes, listing, volume.id, volume.owner, action);
    if (made !== undefined) return made;
    const others = await listManageable(this.#group, this.#settings.thinPool, context, listing);
    requireManageable(others, volume, reference, action);
    const found = listing.group.logicalVolumes.get(reference.slice(this.#group.name.length + 1));
    if (found === undefined) throw new Error(`${reference} is not in the listing`);
    const metadata: VolumeMetadata = {
      ...newVolumeMetadata({ ...volume, pool: null, source: null }, "acknowledged"),
      // Nothing is ever formatted that may hold somebody's data.
      formatted: true,
      adopted: true,
    };
    const tags = tagsOf(metadata, action);
    requireMetadataRoom(listing, tags, action);
    const added = tagArguments([], tags);
    await this.#group.change(operation, changeScript, [this.#nameOf(found), adoptable(found), ...added]);
    return this.#volumeRecord(operation, this.#keep(operation, { volume: found, metadata }, metadata));
  }

  async unmanage(volume: VolumeRecord, context: LockedContext): Promise<void> {
    const action = `give back ${describe("volume", volume)}`;
    const operation = await this.#group.begin(action, context);
    const { listing } = operation;
    const stored = this.#ownVolume(operation, volume);
    const record = this.#volumeRecord(operation, stored);
    refuseOwnMake(record.adoptedFrom, action);
    refuseUnfinished(record, "volume", action);
    refuseInUse(record, listing, action);
    const reservation = helperOf(listing, record.id, "extension");
    if (reservation !== undefined) await this.#removeHelper(operation, reservation);
    const ours = stored.volume.tags.filter(isOurs);
    const args = [this.#nameOf(stored.volume), unchanged(stored.volume), ...tagArguments(ours, [])];
    await this.#group.change(operation, changeScript, args);
    forget(listing, record.id);
    const tags = stored.volume.tags.filter((tag) => !isOurs(tag));
    listing.group.logicalVolumes.set(stored.volume.name, { ...stored.volume, tags });
  }

  async leftovers(context: LockedContext): Promise<readonly Leftover[]> {
    const { listing } = await this.#group.begin("look for what killed runs left", context);
    return helpersIn(listing);
  }

  async removeLeftover({ name, owner }: Leftover, context: LockedContext): Promise<void> {
    const operation = await this.#group.begin(
      `remove the logical volume ${this.#group.name}/${name}`,
      context,
    );
    const helper = operation.listing.helpers.get(name);
    if (helper !== undefined && ownerTagOf(helper.tags) === owner)
      await this.#removeHelper(operation, helper);
  }

  async #beginCreation(volume: NewVolume, context: LockedContext, action: string) {
    const operation = await this.#group.begin(action, context);
    const { listing } = operation;
    const pool = poolFor(volume, this.#group.name, this.#settings.thinPool, action);
    const sizeBytes = roundedUp(volume.sizeBytes, listing.group.extentBytes);
    const record = ownRecord(listing.volumes, listing, volume.id, volume.owner, action);
    if (record === undefined) return { operation, pool, sizeBytes, made: undefined };
    if (record.phase === "deleting") refuseUnfinished(record, "volume", action);
    refuseDifferent(
      record.provisioning === volume.provisioning &&
        record.sizeBytes === sizeBytes &&
        record.source?.kind === volume.source?.kind &&
        record.source?.id === volume.source?.id,
      action,
    );
    return { operation, pool, sizeBytes, made: this.#storedVolume(operation, volume.id) };
  }

  async #copyToVolume(
    volume: NewVolume,
    source: Stored,
    context: LockedContext,
    action: string,
  ): Promise<Work<VolumeRecord>> {
    checkNew(volume, action);
    const asked = { ...volume, source: { kind: source.metadata.kind, id: source.metadata.id } };
    const { operation, pool, sizeBytes, made: found } = await this.#beginCreation(asked, context, action);
    if (found !== undefined && found.metadata.phase !== "creating") {
      return ready(this.#volumeRecord(operation, found));
    }
    const sourceBytes = contentBytes(source, operation);
    if (sizeBytes < sourceBytes) {
      throw new StorageError({
        kind: "InvalidInput",
        action,
        reason: `its source has ${sourceBytes} bytes, so it cannot have ${sizeBytes}`,
        attribute: ["size"],
      });
    }
    const sharesBlocks = isThinVolume(source.volume) && source.volume.pool === pool;
    if (sharesBlocks) {
      const isLarger = sizeBytes > sourceBytes;
      const metadata = {
        ...newVolumeMetadata(asked, isLarger ? "creating" : "unacknowledged"),
        intendedBytes: isLarger ? sizeBytes : null,
      };
      const shape: Shape = { kind: "thin snapshot", origin: source.volume, isWritable: true };
      const stored = found ?? (await this.#make(operation, metadata, shape));
      return ready(
        isLarger ? await this.#finish(operation, stored, sizeBytes) : this.#volumeRecord(operation, stored),
      );
    }
    const made = await this.#unlessStale(operation, found, source);
    const target =
      made ??
      (await this.#make(
        operation,
        newVolumeMetadata(asked, "creating"),
        emptyShape(volume.provisioning, pool, sizeBytes),
      ));
    const from =
      source.metadata.kind === "snapshot" ? source.volume : await this.#frozen(operation, source, volume);
    const copy = {
      source: this.#jobDevice(from, operation),
      target: this.#jobDevice(target.volume, operation),
      isZeroed: volume.provisioning === "thin",
      clearsSource:
        source.metadata.kind === "volume" && !isThinVolume(from) && this.#clearsOld(source.metadata.settings),
    };
    return { state: "working", job: copyJob(volume.id, copy, this.#rate()) };
  }

  /**
   * What was begun, unless the point in time that it was copied from is gone: a copy of a later one leaves out zeros, and
   * would not write over what the earlier one had in their place.
   */
  async #unlessStale(
    operation: Operation,
    target: StoredVolume | undefined,
    source: Stored,
  ): Promise<StoredVolume | undefined> {
    if (target === undefined || !isThinVolume(target.volume) || source.metadata.kind === "snapshot")
      return target;
    if (helperOf(operation.listing, target.metadata.id, "source") !== undefined) return target;
    await this.#remove(operation, target);
    return undefined;
  }

  /** A snapshot of a volume for as long as it is copied from, so that the copy is of one point in time. */
  async #frozen(operation: Operation, source: Stored, copy: NewVolume): Promise<LogicalVolume> {
    const { listing, action } = operation;
    const there = helperOf(listing, copy.id, "source");
    if (there !== undefined) {
      const defect = defectOf(there);
      if (defect === undefined) return there;
      throw new StorageError({
        kind: "VolumeBackendError",
        action,
        reason: `too much was written to the source while it was copied: ${defect}`,
        nextStep: "Run again, or detach the source first.",
      });
    }
    const { volume, metadata } = source;
    const extents = this.#cowExtents(volume, metadata.settings, operation);
    return this.#makeHelper(operation, copy, "source", snapshotOf(volume, true, extents));
  }

  /** Makes a logical volume for an object, with everything about it in the same command. */
  async #make<M extends Metadata>(operation: Operation, metadata: M, shape: Shape): Promise<StoredObject<M>> {
    const tags = tagsOf(metadata, operation.action);
    const name = logicalVolumeName(metadata.id);
    const stored = { volume: await allocate(this.#group, operation, name, tags, shape), metadata };
    keep(operation.listing, stored);
    return stored;
  }

  /** Makes what an object needs for a while. */
  async #makeHelper(
    operation: Operation,
    { id, owner }: Pick<ObjectRecord, "id" | "owner">,
    role: HelperRole,
    shape: Shape,
  ): Promise<LogicalVolume> {
    const name = logicalVolumeName(id, role);
    const helper = await allocate(this.#group, operation, name, helperTags(role, owner), shape);
    operation.listing.helpers.set(name, helper);
    return helper;
  }

  /** Makes an object whole that was being made: its size first, then its phase. */
  async #finish(operation: Operation, stored: StoredVolume, sizeBytes?: number): Promise<VolumeRecord> {
    const changed = whole(stored.metadata);
    const { off, on } = this.#tagChanges(operation, stored, changed);
    const name = this.#nameOf(stored.volume);
    const arguments_ = tagArguments(off, on);
    if (sizeBytes === undefined) {
      await this.#group.change(operation, changeScript, [name, unchanged(stored.volume), ...arguments_]);
    } else {
      const extents = String(sizeBytes / operation.listing.group.extentBytes);
      await this.#group.change(operation, growScript, [
        name,
        unchanged(stored.volume),
        extents,
        ...arguments_,
      ]);
    }
    const volume = { ...stored.volume, sizeBytes: sizeBytes ?? stored.volume.sizeBytes };
    return this.#volumeRecord(operation, this.#keep(operation, { ...stored, volume }, changed));
  }

  async #beginExtension(volume: VolumeRecord, sizeBytes: number, context: LockedContext) {
    const action = `extend ${describe("volume", volume)} to ${sizeBytes} bytes`;
    checkSize(sizeBytes, action);
    const operation = await this.#group.begin(action, context);
    const stored = this.#ownVolume(operation, volume);
    refuseUnfinished(stored.metadata, "volume", action);
    const { extentBytes } = operation.listing.group;
    const wanted = roundedUp(sizeBytes, extentBytes);
    if (wanted < stored.volume.sizeBytes) {
      throw new StorageError({
        kind: "InvalidInput",
        action,
        reason: `it has ${stored.volume.sizeBytes} bytes, and volumes never shrink`,
        attribute: ["size"],
      });
    }
    return { operation, stored, extents: wanted / extentBytes };
  }

  #keepSize(operation: Operation, stored: StoredVolume, extents: number): VolumeRecord {
    const volume = { ...stored.volume, sizeBytes: extents * operation.listing.group.extentBytes };
    return this.#volumeRecord(operation, this.#keep(operation, { ...stored, volume }, stored.metadata));
  }

  /** LVM cannot grow the origin of a copy-on-write snapshot, and removes its snapshots with it. */
  #refuseCowSnapshots({ listing, action }: Operation, volume: LogicalVolume): void {
    const snapshots = cowSnapshotsOf(listing, volume);
    if (snapshots.length === 0) return;
    const stored = [...listing.stored.values()];
    const names = snapshots.map(({ name, uuid }) => {
      const own = stored.find((other) => other.volume.uuid === uuid);
      return own === undefined
        ? `${listing.group.name}/${name}`
        : `"${own.metadata.name}" (${own.metadata.id})`;
    });
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `it has the copy-on-write snapshots ${names.join(", ")}`,
      nextStep: "Delete its snapshots first.",
    });
  }

  /** Removes an object, or begins the clearing of what holds data of its own. */
  async #beginRemoval(operation: Operation, stored: Stored): Promise<Work<null>> {
    const { listing } = operation;
    const { id } = stored.metadata;
    const source = helperOf(listing, id, "source");
    const reservation = helperOf(listing, id, "extension");
    const isFilled = source !== undefined && !isThinVolume(source) && this.#clearsSource(operation, stored);
    if (!this.#holdsData(operation, stored) && !isFilled) {
      await this.#remove(operation, stored);
      return { state: "ready", record: null };
    }
    if (reservation !== undefined) await this.#removeHelper(operation, reservation);
    const going: Metadata = { ...stored.metadata, phase: "deleting" };
    const { volume } = await this.#rewrite(operation, stored, going, unused(stored.volume));
    const wiped: LogicalVolume[] = [];
    if (this.#holdsData(operation, stored)) {
      const plain = await this.#plain(operation, volume);
      this.#keep(operation, { volume: plain, metadata: going }, going);
      wiped.push(plain);
    }
    if (source !== undefined && isFilled) wiped.push(await this.#plain(operation, source));
    const devices = wiped.map((one) => this.#jobDevice(one, operation));
    return { state: "working", job: clearJob("wipe", id, devices, this.#rate()) };
  }

  /** A copy-on-write snapshot as a logical volume of its own, which holds what its space held; any other as it is. */
  async #plain(operation: Operation, volume: LogicalVolume): Promise<LogicalVolume> {
    if (!isCowSnapshot(volume)) return volume;
    await this.#group.change(operation, splitScript, [this.#nameOf(volume), unchanged(volume)]);
    const plain = { ...volume, attributes: "-wi-a-----", origin: "" };
    operation.listing.group.logicalVolumes.set(plain.name, plain);
    if (operation.listing.helpers.has(plain.name)) operation.listing.helpers.set(plain.name, plain);
    return plain;
  }

  async #removeHelper(operation: Operation, helper: LogicalVolume): Promise<void> {
    await this.#group.change(operation, removeScript, [this.#nameOf(helper), removable(helper)]);
    this.#forgetHelper(operation, helper);
  }

  /** What was made for an object that is gone. */
  async #removeStray(operation: Operation, id: string, owner: string): Promise<void> {
    for (const role of helperRoles) {
      const helper = helperOf(operation.listing, id, role);
      const isOwn = helper !== undefined && helperTags(role, owner).every((tag) => helper.tags.includes(tag));
      if (isOwn) await this.#removeHelper(operation, helper);
    }
  }

  #forgetHelper({ listing }: Operation, helper: LogicalVolume): void {
    listing.helpers.delete(helper.name);
    listing.group.logicalVolumes.delete(helper.name);
    // What its volume's record says of it is no longer so.
    const id = parseLogicalVolumeName(helper.name)?.id ?? "";
    const stored = listing.stored.get(id);
    if (stored !== undefined && listing.volumes.has(id)) keep(listing, stored);
  }

  /** Removes an object and what was made for it: the object last, so that a kill leaves nothing that it does not name. */
  async #remove(operation: Operation, { volume, metadata }: Stored): Promise<void> {
    const { listing } = operation;
    const helpers = helperRoles.flatMap((role) => helperOf(listing, metadata.id, role) ?? []);
    const replaced = listing.replaced.get(metadata.id);
    const gone = [...helpers, ...(replaced === undefined ? [] : [replaced]), volume];
    const args = gone.flatMap((one) => [this.#nameOf(one), removable(one)]);
    await this.#group.change(operation, removeScript, args);
    for (const helper of helpers) this.#forgetHelper(operation, helper);
    forget(listing, metadata.id);
    listing.group.logicalVolumes.delete(volume.name);
  }

  async #rewriteVolume(
    operation: Operation,
    stored: StoredVolume,
    changes: Partial<VolumeMetadata>,
  ): Promise<VolumeRecord> {
    return this.#volumeRecord(
      operation,
      await this.#rewrite(operation, stored, { ...stored.metadata, ...changes }),
    );
  }

  /** Puts other tags on a logical volume, in one command, if it is still the one that was listed. */
  async #rewrite<M extends Metadata>(
    operation: Operation,
    stored: StoredObject<M>,
    changed: M,
    selection = unchanged(stored.volume),
  ): Promise<StoredObject<M>> {
    const { off, on } = this.#tagChanges(operation, stored, changed);
    if (off.length + on.length > 0) {
      const name = this.#nameOf(stored.volume);
      await this.#group.change(operation, changeScript, [name, selection, ...tagArguments(off, on)]);
    }
    return this.#keep(operation, stored, changed);
  }

  #tagChanges(operation: Operation, stored: Stored, changed: Metadata) {
    const tags = tagsOf(changed, operation.action);
    const there = stored.volume.tags.filter(isOurs);
    return {
      off: there.filter((tag) => !tags.includes(tag)),
      on: tags.filter((tag) => !there.includes(tag)),
    };
  }

  /** Enters into the listing what a change has written. */
  #keep<M extends Metadata>(
    { listing, action }: Operation,
    { volume }: Stored,
    metadata: M,
  ): StoredObject<M> {
    const others = volume.tags.filter((tag) => !isOurs(tag));
    const changed = { ...volume, tags: [...others, ...tagsOf(metadata, action)] };
    listing.group.logicalVolumes.set(changed.name, changed);
    const stored = { volume: changed, metadata };
    keep(listing, stored);
    return stored;
  }

  #volumeRecord({ listing }: Operation, { metadata }: Stored): VolumeRecord {
    return requireRecord(listing.volumes, metadata.id);
  }

  /** The object as the listing has it, whoever owns it. Throws when it is not there, or damaged. */
  #stored({ listing, action }: Operation, kind: "volume" | "snapshot", id: string): Stored {
    const stored = listing.stored.get(id);
    const damage = listing.damaged.get(id);
    if (damage === undefined && stored?.metadata.kind === kind) return stored;
    throw new StorageError({
      kind:
        damage !== undefined
          ? "VolumeBackendError"
          : kind === "volume"
            ? "VolumeNotFound"
            : "SnapshotNotFound",
      action,
      reason: damage?.reason ?? `there is no ${kind} ${id} in the volume group ${listing.group.name}`,
    });
  }

  #storedVolume(operation: Operation, id: string): StoredVolume {
    return this.#stored(operation, "volume", id) as StoredVolume;
  }

  #ownVolume(operation: Operation, { id, owner }: VolumeRecord): StoredVolume {
    ownRecord(operation.listing.volumes, operation.listing, id, owner, operation.action);
    return this.#storedVolume(operation, id);
  }

  /** Whether anybody's data is, or may be, on it: then it is cleared before its space goes back to the group. */
  #holdsData({ listing }: Operation, { volume, metadata }: Stored): boolean {
    if (isThinVolume(volume)) return false;
    if (metadata.kind === "snapshot") {
      // What a snapshot keeps is its volume's data.
      return this.#clearsOld(listing.stored.get(metadata.volumeId)?.metadata.settings ?? {});
    }
    const isEmpty = metadata.phase === "creating" && metadata.source === null && !metadata.isFilled;
    return this.#clearsOld(metadata.settings) && !isEmpty;
  }

  /** Whether the snapshot that this was copied from is cleared: what it holds is its volume's. */
  #clearsSource({ listing }: Operation, { metadata }: Stored): boolean {
    const source = metadata.kind === "volume" && metadata.source !== null ? metadata.source.id : "";
    return this.#clearsOld(listing.stored.get(source)?.metadata.settings ?? {});
  }

  /** CRE-2: whether thick space is cleared before anybody gets it. */
  #clearsNew(): boolean {
    return this.#settings.volumeClear === "zero";
  }

  /**
   * Whether thick space is cleared before it goes back to the group. A volume may leave its data there only where what is
   * given out is cleared: otherwise the next one would show it.
   */
  #clearsOld(settings: ObjectRecord["settings"]): boolean {
    return settings["volume_clear"] !== "none" || !this.#clearsNew();
  }

  #clearJob(purpose: "clear" | "extend", id: string, volume: LogicalVolume, operation: Operation) {
    return clearJob(purpose, id, [this.#jobDevice(volume, operation)], this.#rate());
  }

  #cowExtents(origin: LogicalVolume, settings: ObjectRecord["settings"], { listing }: Operation): number {
    const own = settings["snapshot_size_percent"];
    const percent = typeof own === "number" && own > 0 ? own : this.#settings.snapshotSizePercent;
    return cowExtents(origin.sizeBytes, listing.group.extentBytes, percent);
  }

  #jobDevice({ name, uuid }: LogicalVolume, { listing }: Operation): JobDevice {
    return { volumeGroup: this.#group.name, volumeGroupUuid: listing.identity, name, uuid };
  }

  #rate(): number {
    return this.#settings.volumeClearMiBPerSecond ?? 0;
  }

  #nameOf({ name }: LogicalVolume): string {
    return `${this.#group.name}/${name}`;
  }
}

function emptyShape(provisioning: VolumeRecord["provisioning"], pool: string, sizeBytes: number): Shape {
  return provisioning === "thick" ? { kind: "linear", sizeBytes } : { kind: "thin", pool, sizeBytes };
}

/** LVM writes its metadata anew for each logical volume, the more of it the more there are. In milliseconds. */
function patience(changes: number): number {
  return 120_000 + changes * 2_000;
}

function tagArguments(off: readonly string[], on: readonly string[]): readonly string[] {
  return [...off.flatMap((tag) => ["--deltag", tag]), ...on.flatMap((tag) => ["--addtag", tag])];
}

function ready<R>(record: R): Work<R> {
  return { state: "ready", record };
}

function requireRecord<R>(records: ReadonlyMap<string, R>, id: string): R {
  const record = records.get(id);
  if (record === undefined) throw new Error(`object ${id} is not in the listing`);
  return record;
}

function extentsOf(volume: LogicalVolume, { listing }: Operation): number {
  return volume.sizeBytes / listing.group.extentBytes;
}

/** How many bytes a copy of it has at least. */
function contentBytes({ metadata }: Stored, { listing }: Operation): number {
  const records = metadata.kind === "volume" ? listing.volumes : listing.snapshots;
  return requireRecord<ObjectRecord>(records, metadata.id).sizeBytes;
}
