import { type Revert, StorageError, type VolumeRecord, type Work } from "../../contract/index.ts";
import { refuseCopied, refuseOvertaken } from "../shared/refusals.ts";
import { allocate, type Shape } from "./allocation.ts";
import { type JobDevice, mergeJob } from "./jobs.ts";
import { cowSnapshotsOf, keep, type StoredObject, type VolumeMetadata } from "./listing.ts";
import { logicalVolumeName, parseLogicalVolumeName } from "./names.ts";
import { isMerging, isThinVolume, type LogicalVolume } from "./report.ts";
import { removeScript, renameScript } from "./scripts.ts";
import { closed, recorded, removable, unchanged, unused } from "./selections.ts";
import { parseTags, tagsOf } from "./tags.ts";
import type { Operation, VolumeGroupOnHost } from "./volume-group.ts";

type StoredVolume = StoredObject<VolumeMetadata>;
type Settings = VolumeRecord["settings"];

/** What putting back needs of the driver. */
export interface RevertTools {
  readonly group: VolumeGroupOnHost;
  rewrite(
    operation: Operation,
    stored: StoredVolume,
    changed: VolumeMetadata & { readonly unknown: StoredObject["metadata"]["unknown"] },
    selection?: string,
  ): Promise<StoredVolume>;
  make(operation: Operation, metadata: StoredObject["metadata"], shape: Shape): Promise<StoredObject>;
  cowExtents(operation: Operation, origin: LogicalVolume, settings: Settings): number;
  jobDevice(operation: Operation, volume: LogicalVolume): JobDevice;
}

/** Putting volumes back to snapshots. docs/adr/0014-restore.md says why each step stands where it does. */
export class Reverts {
  readonly #tools: RevertTools;

  constructor(tools: RevertTools) {
    this.#tools = tools;
  }

  async begin(
    operation: Operation,
    stored: StoredVolume,
    snapshotId: string,
    revert: Revert,
  ): Promise<Work<VolumeRecord>> {
    const { listing, action } = operation;
    refuseCopied(requireVolume(operation, stored), listing, action);
    if (isThinVolume(stored.volume)) {
      return { state: "ready", record: await this.#replace(operation, stored, snapshotId, revert) };
    }
    return this.#merge(operation, stored, snapshotId, revert.mark);
  }

  /** After the merge: makes the snapshot again, which the merge has used up. */
  async complete(
    operation: Operation,
    stored: StoredVolume,
    snapshotId: string,
    { mark, settings }: Revert,
  ): Promise<Work<VolumeRecord>> {
    const { listing, action } = operation;
    refuseOvertaken(stored.metadata, snapshotId, mark, action);
    const { usedSnapshot } = stored.metadata;
    if (usedSnapshot === undefined || listing.stored.has(snapshotId)) {
      return this.#merge(operation, stored, snapshotId, mark);
    }
    const metadata = parseTags(usedSnapshot.tags);
    const extents = this.#tools.cowExtents(operation, stored.volume, metadata.settings);
    const shape: Shape = { kind: "cow snapshot", origin: stored.volume, extents };
    await this.#tools.make(operation, metadata, shape);
    return { state: "ready", record: await this.#end(operation, stored, settings) };
  }

  /**
   * Takes the mark off where the volume is the old or the restored one. A thick one is so only with its snapshot there: that
   * may have been used up.
   */
  async abandon(operation: Operation, stored: StoredVolume): Promise<VolumeRecord> {
    const { listing } = operation;
    const { id, restoring } = stored.metadata;
    const snapshot = listing.stored.get(restoring ?? "");
    const isInPlace =
      parseLogicalVolumeName(stored.volume.name)?.role !== "restored" && !listing.replaced.has(id);
    const isUsedUp = !isThinVolume(stored.volume) && (snapshot === undefined || isMerging(snapshot.volume));
    const isWhole = isInPlace && !isUsedUp;
    if (!isWhole) return requireVolume(operation, stored);
    return this.#end(operation, stored, stored.metadata.settings);
  }

  /**
   * A thin volume is replaced by a thin snapshot of its snapshot. Both carry the volume's id for a while, and the mark; the
   * new one is known by its name.
   */
  async #replace(
    operation: Operation,
    stored: StoredVolume,
    snapshotId: string,
    { mark, settings }: Revert,
  ): Promise<VolumeRecord> {
    const { listing } = operation;
    const { group } = this.#tools;
    const { id } = stored.metadata;
    let current = stored;
    if (parseLogicalVolumeName(stored.volume.name)?.role !== "restored") {
      const marked = { ...stored.metadata, restoring: snapshotId, restoringMark: mark };
      const old = await this.#tools.rewrite(operation, stored, marked, unused(stored.volume));
      const origin = requireStored(operation, snapshotId).volume;
      const shape: Shape = { kind: "thin snapshot", origin, isWritable: true };
      const tags = tagsOf(marked, operation.action);
      const name = logicalVolumeName(id, "restored");
      listing.replaced.set(id, old.volume);
      current = { volume: await allocate(group, operation, name, tags, shape), metadata: marked };
      keep(listing, current);
    }
    const replaced = listing.replaced.get(id);
    if (replaced !== undefined) {
      await group.change(operation, removeScript, [`${group.name}/${replaced.name}`, removable(replaced)]);
      listing.group.logicalVolumes.delete(replaced.name);
      listing.replaced.delete(id);
    }
    const name = logicalVolumeName(id);
    const old = `${group.name}/${current.volume.name}`;
    await group.change(operation, renameScript, [old, unchanged(current.volume), `${group.name}/${name}`]);
    listing.group.logicalVolumes.delete(current.volume.name);
    return this.#end(operation, { ...current, volume: { ...current.volume, name } }, settings);
  }

  async #merge(
    operation: Operation,
    stored: StoredVolume,
    snapshotId: string,
    mark: string,
  ): Promise<Work<VolumeRecord>> {
    const stands = operation.listing.stored.get(snapshotId);
    const snapshot = stands === undefined || isMerging(stands.volume) ? undefined : stands;
    let { volume, metadata } = stored;
    if (snapshot !== undefined) requireRoomInOthers(operation, volume, snapshot.volume);
    const isOnRecord = snapshot === undefined || metadata.usedSnapshot?.uuid === snapshot.volume.uuid;
    if (!isOnRecord || metadata.restoringMark !== mark) {
      // On record with all that it takes to make the snapshot again, before that is used up.
      const usedSnapshot =
        snapshot === undefined
          ? metadata.usedSnapshot
          : { uuid: snapshot.volume.uuid, tags: tagsOf(snapshot.metadata, operation.action) };
      const marked = { ...metadata, restoring: snapshotId, restoringMark: mark, usedSnapshot };
      ({ volume, metadata } = await this.#tools.rewrite(operation, stored, marked, closed(volume)));
    }
    const { usedSnapshot } = metadata;
    if (usedSnapshot === undefined) throw new Error(`snapshot ${snapshotId} is not in the listing`);
    const origin = this.#tools.jobDevice(operation, volume);
    const merged = { ...origin, name: logicalVolumeName(snapshotId), uuid: usedSnapshot.uuid };
    return { state: "working", job: mergeJob(metadata.id, origin, merged, recorded(volume)) };
  }

  async #end(operation: Operation, stored: StoredVolume, settings: Settings): Promise<VolumeRecord> {
    const { restoring: _, restoringMark: __, usedSnapshot: ___, ...metadata } = stored.metadata;
    return requireVolume(operation, await this.#tools.rewrite(operation, stored, { ...metadata, settings }));
  }
}

/** What rounding hides: LVM tells how full a snapshot is in whole chunks and hundredths of a percent. */
const roomMarginBytes = 1024 ** 2;

/** While a snapshot is merged, the origin's others keep what is written over; one that runs full would be lost. */
function requireRoomInOthers(
  { listing, action }: Operation,
  origin: LogicalVolume,
  merged: LogicalVolume,
): void {
  const needed = (merged.sizeBytes * (merged.dataPercent ?? 100)) / 100;
  for (const other of cowSnapshotsOf(listing, origin)) {
    if (other.uuid === merged.uuid) continue;
    const place = `${listing.group.name}/${other.name}`;
    if (other.dataPercent === null) {
      throw new StorageError({
        kind: "VolumeIsBusy",
        action,
        reason: `its other snapshot ${place} would have to keep what is written over, and LVM does not say how full it is`,
        nextStep: `Make it active (lvchange -ay -K ${place}) and run again, or delete it first.`,
      });
    }
    const left = (other.sizeBytes * (100 - other.dataPercent)) / 100;
    if (left >= needed + roomMarginBytes) continue;
    throw new StorageError({
      kind: "VolumeIsBusy",
      action,
      reason: `its other snapshot ${place} has ${Math.floor(left)} bytes of space left, and would have to keep up to ${Math.ceil(needed + roomMarginBytes)}: it would be lost`,
      nextStep: `Give it more (lvextend -L +SIZE ${place}), or delete it first.`,
    });
  }
}

function requireStored({ listing, action }: Operation, id: string): StoredObject {
  const stored = listing.stored.get(id);
  if (stored !== undefined) return stored;
  throw new StorageError({
    kind: "SnapshotNotFound",
    action,
    reason: `there is no snapshot ${id} in the volume group ${listing.group.name}`,
  });
}

function requireVolume({ listing }: Operation, { metadata }: StoredVolume): VolumeRecord {
  const record = listing.volumes.get(metadata.id);
  if (record === undefined) throw new Error(`volume ${metadata.id} is not in the listing`);
  return record;
}
